#include "connectors/kafka/client/message_frame.h"

namespace huiliu::connectors::kafka {
namespace {

void append_size(std::string& out, std::int32_t size) {
  out.append(reinterpret_cast<const char*>(&size), sizeof size);
}

bool take_sized(std::string_view& bytes, std::string_view& taken) {
  std::int32_t size = 0;
  if (bytes.size() < sizeof size) return false;
  std::memcpy(&size, bytes.data(), sizeof size);
  bytes.remove_prefix(sizeof size);
  if (size < 0) {
    taken = {};
    return true;
  }
  taken = bytes.substr(0, static_cast<std::size_t>(size));
  bytes.remove_prefix(taken.size());
  return true;
}

}  // namespace

void append_header(std::string& headers, std::string_view name, const void* value,
                   std::size_t size) {
  append_size(headers, static_cast<std::int32_t>(name.size()));
  headers.append(name);
  append_size(headers, value == nullptr ? -1 : static_cast<std::int32_t>(size));
  if (value != nullptr) headers.append(static_cast<const char*>(value), size);
}

bool take_header(std::string_view& headers, std::string_view& name, std::string_view& value) {
  return take_sized(headers, name) && take_sized(headers, value);
}

std::string_view find_header(std::string_view headers, std::string_view name) {
  std::string_view found, each, value;
  while (take_header(headers, each, value)) {
    if (each == name) found = value;
  }
  return found;
}

void append_frame(std::string& bytes, MessageHead head, const void* value, std::size_t value_size,
                  const void* key, std::size_t key_size, std::string_view headers) {
  constexpr std::size_t kAlign = 8;
  head.value_size = value == nullptr ? -1 : static_cast<std::int32_t>(value_size);
  head.key_size = key == nullptr ? -1 : static_cast<std::int32_t>(key_size);
  if (head.headers_size < 0) headers = {};
  if (head.headers_size >= 0) head.headers_size = static_cast<std::int32_t>(headers.size());
  if (value == nullptr) value_size = 0;
  if (key == nullptr) key_size = 0;
  const std::size_t content = sizeof head + value_size + 1 + key_size + headers.size();
  const std::size_t frame = (content + kAlign - 1) / kAlign * kAlign;
  head.frame_size = static_cast<std::uint32_t>(frame);
  bytes.append(reinterpret_cast<const char*>(&head), sizeof head);
  if (value_size > 0) bytes.append(static_cast<const char*>(value), value_size);
  bytes += '\0';
  if (key_size > 0) bytes.append(static_cast<const char*>(key), key_size);
  bytes.append(headers);
  bytes.append(frame - content, '\0');
}

}  // namespace huiliu::connectors::kafka
