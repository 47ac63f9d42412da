#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace huiliu::tools {

struct Department {
  std::string key;  // part of the file names
  std::string name;
  std::string document_prefix;  // of document numbers, e.g. 岩市监
  std::string region;           // GB/T 2260
  std::string uscc;
  std::vector<std::size_t> represents;  // departments it may upload for, beside itself
};

enum DepartmentIndex : std::size_t {
  kMarket,
  kTransport,
  kEnvironment,
  kHousing,
  kHealth,
  kTax,
  kLabour,
  kDistrictMarket,
  kServiceCentre,
};

const std::vector<Department>& departments();

}  // namespace huiliu::tools
