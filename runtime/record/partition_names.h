#pragma once

#include <string>
#include <string_view>

namespace huiliu::runtime {

/// Interned names of partitions: stable for the life of the process. Thread-safe.
const std::string* intern_partition(std::string_view name);

}  // namespace huiliu::runtime
