#pragma once

#include "tools/credit_sample/file_spec.h"

// Column lists by kind of file (domain page, §1.1 and §1.2).
namespace huiliu::tools::layouts {

extern const std::span<const Column> kLicence2018;
extern const std::span<const Column> kLicence2018Chinese;
extern const std::span<const Column> kLicenceSynonyms;
extern const std::span<const Column> kLicence2015;
extern const std::span<const Column> kPenalty2018;
extern const std::span<const Column> kPenalty2018Chinese;
extern const std::span<const Column> kPenalty2015;
extern const std::span<const Column> kRedList;
extern const std::span<const Column> kBlackList;

}  // namespace huiliu::tools::layouts
