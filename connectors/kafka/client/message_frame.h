#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace huiliu::connectors::kafka {

/// A message as it lies in a slice: the head, the value, a NUL, the key, the headers, zeros up to a
/// multiple of 8. The value follows its size at once, as in a size-prefixed FlatBuffer.
struct MessageHead {
  std::int64_t offset = 0;  ///< of a message to be written: the number of its topic
  std::int64_t timestamp = 0;
  std::int32_t key_size = -1;     ///< -1: none
  std::int32_t headers_size = 0;  ///< -1: there are some, which cannot be read
  std::uint32_t frame_size = 0;   ///< all of it, with this head
  std::int32_t value_size = -1;   ///< -1: none
};
static_assert(sizeof(MessageHead) == 32);

/// The parts of a framed message; views into the slice.
struct FramedMessage {
  MessageHead head;
  std::string_view value, key, headers;
};

inline FramedMessage read_frame(const char* at) {
  FramedMessage message;
  std::memcpy(&message.head, at, sizeof message.head);
  const char* const value = at + sizeof message.head;
  const auto size_of = [](std::int32_t size) {
    return static_cast<std::size_t>(size < 0 ? 0 : size);
  };
  message.value = {value, size_of(message.head.value_size)};
  message.key = {value + message.value.size() + 1, size_of(message.head.key_size)};
  message.headers = {message.key.data() + message.key.size(), size_of(message.head.headers_size)};
  return message;
}

/// Headers are name size, name, value size (-1: null), value, one after the other.
void append_header(std::string& headers, std::string_view name, const void* value,
                   std::size_t size);
/// Takes the first header off; a null value has null data. False at the end.
bool take_header(std::string_view& headers, std::string_view& name, std::string_view& value);
/// The last header of the name, as Kafka's clients take it; nothing: a null data pointer.
std::string_view find_header(std::string_view headers, std::string_view name);

/// Appends a frame; `head` has offset and timestamp, and says if the headers cannot be read.
void append_frame(std::string& bytes, MessageHead head, const void* value, std::size_t value_size,
                  const void* key, std::size_t key_size, std::string_view headers);

}  // namespace huiliu::connectors::kafka
