#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/http/batch_check.h"
#include "net/http_message.h"

namespace huiliu::connectors {

/// What a sender is told, as JSON, in Chinese if it asks for that (Accept-Language).
class Answers {
 public:
  explicit Answers(std::string_view accept_language);

  /// A code that programs know, such as "unauthorized", and a text for people.
  net::HttpResponse problem(unsigned status, std::string_view code, std::string_view en,
                            std::string_view zh, int retry_after = 0) const;
  struct Taken {
    std::string batch;
    std::uint64_t rows = 0;
    BatchCounts counts;
    bool repeated = false;  ///< it was taken before, with the same key
  };
  /// The request is durable: 202, or 200 if all of it was before. One batch, or a list of them.
  net::HttpResponse taken(const std::vector<Taken>& batches) const;
  /// Nothing of the request was taken, because of these rows: 422.
  net::HttpResponse refused(const BatchCounts& counts) const;
  /// What became of a batch.
  net::HttpResponse fate(const std::string& batch, std::string_view state,
                         const std::string& arrived, const BatchCounts& counts) const;

 private:
  template <class Json>
  void bad_rows(Json& json, const BatchCounts& counts) const;

  bool chinese_ = false;
};

}  // namespace huiliu::connectors
