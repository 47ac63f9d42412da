#pragma once

#include <string>
#include <vector>

#include "runtime/component/config.h"
#include "service/rules/headings.h"

namespace huiliu::service {

/// Says what a rule of `validate` is in words of one language.
class RuleText {
 public:
  /// `headings` outlives it; paths of tables are shown below `folder`.
  RuleText(const Headings& headings, std::string folder, bool chinese)
      : headings_(headings), folder_(std::move(folder)), chinese_(chinese) {}

  std::string fields(const runtime::Config& rule) const;
  std::string check(const runtime::Config& rule) const;
  /// When it applies; "always" without a condition.
  std::string when(const runtime::Config& rule) const;
  std::string action(const runtime::Config& rule) const;
  std::string code(const runtime::Config& rule) const;
  std::string message(const runtime::Config& rule) const;
  /// A table's path as it is shown.
  std::string table(const runtime::Config& path) const;

 private:
  using Kinds = std::vector<std::string>;
  Kinds kinds_of(const runtime::Config& rule) const;
  std::string names(const runtime::Config& fields, const Kinds& kinds) const;
  std::string condition(const runtime::Config& node, const Kinds& kinds) const;
  std::string entry(const std::string& key, const runtime::Config& value, const Kinds& kinds) const;
  std::string comparison(const std::string& word, const runtime::Config& value) const;
  std::string value_of(std::string_view name, const runtime::Config& rule) const;
  std::string fill(std::string_view words, const runtime::Config& rule) const;
  std::string words(const runtime::Config& values) const;
  const char* either(const char* zh, const char* en) const { return chinese_ ? zh : en; }

  const Headings& headings_;
  std::string folder_;
  bool chinese_;
};

}  // namespace huiliu::service
