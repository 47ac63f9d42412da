#pragma once

namespace huiliu::runtime {

/// The project's version; CMake reads it from here.
inline constexpr char kVersion[] = "0.1.0";

}  // namespace huiliu::runtime
