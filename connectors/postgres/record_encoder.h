#pragma once

#include <memory>
#include <string_view>

#include "connectors/postgres/table_layout.h"
#include "runtime/component/sink.h"

namespace huiliu::connectors::postgres {

/// Makes rows of binary_row.h. Refuses what PostgreSQL would not take, so that a statement never
/// fails for what is in a row: E815_NO_KEY, E816_NOT_STORABLE.
/// With a key, records that take back and those of `delete_when` take the row with their key away.
std::unique_ptr<runtime::SinkEncoder> make_record_encoder(const TableLayout& layout,
                                                          const codecs::DeleteWhen& delete_when,
                                                          const runtime::Schema& input);

/// Whether jsonb takes the text: JSON without NUL or half surrogates, not nested too deeply, and
/// without numbers that numeric does not hold.
bool is_storable_json(std::string_view text);

}  // namespace huiliu::connectors::postgres
