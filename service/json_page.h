#pragma once

#include <string>
#include <string_view>

#include <rapidjson/prettywriter.h>
#include <rapidjson/stringbuffer.h>

namespace huiliu::service {

/// What pages of JSON are written with.
class JsonPage {
 protected:
  JsonPage() = default;
  ~JsonPage() = default;

  void text(std::string_view text) {
    json_.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
  }
  void key(std::string_view name) {
    json_.Key(name.data(), static_cast<rapidjson::SizeType>(name.size()));
  }
  void pair(std::string_view name, std::string_view value) {
    key(name);
    text(value);
  }
  /// The page, with a line end.
  std::string page() const { return std::string(buffer_.GetString(), buffer_.GetSize()) + "\n"; }

 private:
  rapidjson::StringBuffer buffer_;

 protected:
  rapidjson::PrettyWriter<rapidjson::StringBuffer> json_{buffer_};
};

}  // namespace huiliu::service
