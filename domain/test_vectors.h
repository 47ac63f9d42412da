#pragma once

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <rapidjson/document.h>

// Reading of the vector files and tables the tests of this folder use.
namespace huiliu::domain::testing {

inline std::string read_source_file(const std::string& path) {
  const auto root = std::filesystem::current_path();
  std::ifstream file(root / path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

inline rapidjson::Document read_vectors(const std::string& file_name) {
  rapidjson::Document document;
  document.Parse(read_source_file("domain/testdata/" + file_name).c_str());
  return document;
}

inline std::string text_of(const rapidjson::Value& value) {
  return {value.GetString(), value.GetStringLength()};
}

}  // namespace huiliu::domain::testing
