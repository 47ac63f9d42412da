#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "connectors/kafka/client/message_frame.h"
#include "connectors/kafka/source/message_decoder.h"
#include "connectors/kafka/source/message_options.h"
#include "connectors/testing.h"
#include "runtime/record/value_text.h"

namespace huiliu::connectors::kafka {

/// Decodes messages; rows come out as "offset|a|b", rejects as "offset!code!field!value".
class Decoding {
 public:
  explicit Decoding(const std::string& config) {
    runtime::Diagnostics diagnostics;
    options_ = parse_message_options(connectors::testing::config_of(config), diagnostics);
    EXPECT_FALSE(diagnostics.has_errors()) << diagnostics.to_string();
    schema_ = options_.schema();
    decoder_ = make_message_decoder(
        options_,
        {schema_.width() + 7, runtime::parse_event_time(connectors::testing::config_of(config),
                                                        options_.schema(), diagnostics)
                                  .field});
    runtime::Outputs& out =
        outputs_.emplace("source", 1, static_cast<std::uint32_t>(schema_.width()));
    out.set_arena(&arena_);
    out.port(0).target = &rows_;
    out.port(0).target_outputs = &sunk_;
    out.reject_port().target = &rejects_;
    out.reject_port().target_outputs = &sunk_;
    rows_.on_record = [this](const runtime::Record& record) {
      std::string text = std::to_string(record.origin.offset), scratch;
      for (std::size_t i = 0; i < schema_.width(); ++i) {
        text += "|";
        text += record[i].is_null() ? "-" : value_text(schema_[i].type, record[i], scratch);
      }
      rows.push_back(text);
      times.push_back(record.event_time);
    };
    rejects_.on_record = [this](const runtime::Record& record) {
      std::string text = std::to_string(record.origin.offset);
      for (std::size_t i = 0; i < 3; ++i) {
        text += "!" + std::string(record[schema_.width() + i].text());
      }
      rejects.push_back(text);
    };
  }

  void add(std::int64_t offset, std::optional<std::string> value,
           std::optional<std::string> key = {}, const std::string& headers = "") {
    MessageHead head;
    head.offset = offset;
    head.timestamp = 1000 + offset;
    append_frame(slice_.bytes, head, value ? value->data() : nullptr, value ? value->size() : 0,
                 key ? key->data() : nullptr, key ? key->size() : 0, headers);
  }
  void add_without_headers(std::int64_t offset, const std::string& value, const std::string& key) {
    MessageHead head;
    head.offset = offset;
    head.headers_size = -1;
    append_frame(slice_.bytes, head, value.data(), value.size(), key.data(), key.size(), "");
  }
  void decode() {
    slice_.bytes.reserve(slice_.bytes.size() + 64);
    slice_.partition = &name_;
    slice_.format = 3;
    decoder_->decode(slice_, *outputs_);
  }

  std::vector<std::string> rows, rejects;
  std::vector<std::int64_t> times;

 private:
  MessageOptions options_;
  runtime::Schema schema_;
  std::unique_ptr<runtime::Decoder> decoder_;
  std::optional<runtime::Outputs> outputs_;
  runtime::Outputs sunk_{"sunk", 0, 0};
  runtime::Arena arena_;
  connectors::testing::Collector rows_, rejects_;
  runtime::Slice slice_;
  std::string name_ = "in[3]";
};

}  // namespace huiliu::connectors::kafka
