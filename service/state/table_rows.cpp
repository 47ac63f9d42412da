#include "service/state/table_rows.h"

#include <algorithm>

#include <fmt/format.h>

#include "codecs/value_parsers.h"
#include "runtime/base/diagnostics.h"
#include "runtime/engine/plumbing.h"
#include "runtime/record/key.h"
#include "runtime/record/record.h"
#include "runtime/topology/state_layout.h"

namespace huiliu::service {

using runtime::Result;
using runtime::RowText;
using runtime::Status;

namespace {

std::string hexadecimal(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return text;
}

std::string hint(const std::string& nearest) { return nearest.empty() ? "" : "; " + nearest; }

bool has_all(const RowText& row, const std::vector<AskedValue>& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const AskedValue& want) {
    return std::any_of(row.begin(), row.end(), [&](const auto& one) {
      return one.first == want.field && one.second == want.value;
    });
  });
}

}  // namespace

TableRows::TableRows(const runtime::Topology& topology, const runtime::Node& node,
                     const runtime::TableDeclaration& table)
    : name_(node.name + "." + table.name),
      shards_(topology.shards),
      declaration_(node.operator_declaration.get()),
      table_(&table) {}

Result<TableRows> TableRows::find(const runtime::Topology& topology, const std::string& name) {
  std::vector<std::string> names;
  for (const runtime::Node& node : topology.nodes) {
    if (node.kind != runtime::ComponentKind::kOperator) continue;
    const auto& tables = node.operator_declaration->tables;
    for (const runtime::TableDeclaration& table : tables) {
      names.push_back(node.name + "." + table.name);
      if (name == names.back() || (name == node.name && tables.size() == 1)) {
        return TableRows(topology, node, table);
      }
    }
  }
  if (names.empty()) return Status::invalid("the topology has no tables");
  return Status::invalid(
      fmt::format("there is no table '{}'{}", name, hint(runtime::nearest_hint(name, names))));
}

RowText TableRows::text(std::string_view key, std::string_view value) const {
  RowText row;
  if (!table_->longer_keys) {
    std::string_view rest = key;
    row = runtime::take_key_text(declaration_->input(), declaration_->key_fields, rest);
  } else if (!table_->describe) {
    row.emplace_back("key", hexadecimal(key));
  }
  if (!table_->describe) {
    row.emplace_back("value", hexadecimal(value));
    return row;
  }
  for (auto& one : table_->describe(key, value)) row.push_back(std::move(one));
  return row;
}

Result<std::optional<std::string>> TableRows::exact_key(
    const std::vector<AskedValue>& wanted) const {
  const auto& fields = declaration_->key_fields;
  if (table_->longer_keys || fields.empty()) return std::optional<std::string>();
  const runtime::Schema& schema = declaration_->input();
  std::vector<runtime::Value> row(schema.width());
  for (const std::string& field : fields) {
    const auto want = std::find_if(wanted.begin(), wanted.end(),
                                   [&](const AskedValue& one) { return one.field == field; });
    if (want == wanted.end() || want->value.empty()) return std::optional<std::string>();
    const std::size_t index = *schema.index_of(field);
    const auto value = codecs::parse_cell(schema[index].type, want->value);
    if (!value) {
      return Status::invalid(fmt::format("'{}' is no {}, which field '{}' is", want->value,
                                         type_name(schema[index].type), field));
    }
    row[index] = *value;
  }
  runtime::Record record;
  record.values = row.data();
  record.width = static_cast<std::uint32_t>(row.size());
  runtime::KeyBuilder builder(schema, fields);
  return std::optional<std::string>(std::string(builder.build(record)));
}

// A row has all the fields there are.
Status TableRows::check_fields(const std::vector<AskedValue>& wanted, const RowText& row) const {
  std::vector<std::string> names;
  for (const auto& [name, value] : row) names.push_back(name);
  for (const AskedValue& want : wanted) {
    if (std::find(names.begin(), names.end(), want.field) != names.end()) continue;
    return Status::invalid(fmt::format("table {} has no field '{}'{}", name_, want.field,
                                       hint(runtime::nearest_hint(want.field, names))));
  }
  return Status::ok();
}

Result<std::uint64_t> TableRows::count(const OpenState& state) const {
  std::uint64_t rows = 0;
  const Status status = each(state, {}, [&rows](const RowText&) {
    ++rows;
    return true;
  });
  if (!status.is_ok()) return status;
  return rows;
}

Status TableRows::each(const OpenState& state, const std::vector<AskedValue>& wanted,
                       const std::function<bool(const RowText&)>& visit) const {
  auto key = exact_key(wanted);
  if (!key.is_ok()) return key.status();
  if (*key) {
    const auto shard = runtime::shard_of_hash(runtime::KeyBuilder::hash_bytes(**key), shards_);
    if (std::find(state.held.begin(), state.held.end(), shard) == state.held.end()) {
      return Status::not_found(
          fmt::format("the key is in shard {}, which another worker has", shard));
    }
    auto value = state.reader->get(name_, shard, **key);
    if (!value.is_ok()) return value.status();
    if (!*value) return Status::ok();
    const RowText row = text(**key, **value);
    if (Status status = check_fields(wanted, row); !status.is_ok()) return status;
    if (has_all(row, wanted)) visit(row);
    return Status::ok();
  }
  bool checked = table_->longer_keys, done = false;
  for (const std::uint16_t shard : state.held) {
    const Status status =
        state.reader->for_each(name_, shard, [&](std::string_view row_key, std::string_view value) {
          const RowText row = text(row_key, value);
          if (row.empty()) return Status::ok();
          if (!checked) {
            if (Status wrong = check_fields(wanted, row); !wrong.is_ok()) return wrong;
            checked = true;
          }
          if (!has_all(row, wanted) || visit(row)) return Status::ok();
          done = true;
          return Status::restart("enough");
        });
    if (done) return Status::ok();
    if (!status.is_ok()) return status;
  }
  return Status::ok();
}

}  // namespace huiliu::service
