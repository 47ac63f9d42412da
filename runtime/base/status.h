#pragma once

#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace huiliu::runtime {

/// What to do about an error: invalid → refuse the input; unavailable → retry with backoff;
/// corrupt, fatal → stop, recovery is exact; not found → the caller knows; restart → open
/// everything again at the last committed epoch, in the same process; failed → stop, with nothing
/// wrong with what is kept; taken over → stop, another process goes on with the work.
enum class StatusCode {
  kOk,
  kInvalid,
  kNotFound,
  kUnavailable,
  kCorrupt,
  kFatal,
  kRestart,
  kFailed,
  kTakenOver
};

/// Outcome of an operation that may fail for outside reasons.
class [[nodiscard]] Status {
 public:
  static Status ok() { return {}; }
  static Status invalid(std::string message) { return {StatusCode::kInvalid, std::move(message)}; }
  static Status not_found(std::string message) {
    return {StatusCode::kNotFound, std::move(message)};
  }
  static Status unavailable(std::string message) {
    return {StatusCode::kUnavailable, std::move(message)};
  }
  static Status corrupt(std::string message) { return {StatusCode::kCorrupt, std::move(message)}; }
  static Status fatal(std::string message) { return {StatusCode::kFatal, std::move(message)}; }
  static Status restart(std::string message) { return {StatusCode::kRestart, std::move(message)}; }
  static Status failed(std::string message) { return {StatusCode::kFailed, std::move(message)}; }
  static Status taken_over(std::string message) {
    return {StatusCode::kTakenOver, std::move(message)};
  }

  Status() = default;
  bool is_ok() const { return code_ == StatusCode::kOk; }
  StatusCode code() const { return code_; }
  const std::string& message() const { return message_; }

 private:
  Status(StatusCode code, std::string message) : code_(code), message_(std::move(message)) {}
  StatusCode code_ = StatusCode::kOk;
  std::string message_;
};

/// A status that passes through code which has no way to return one: what reads state while records
/// are processed. Whoever runs that code catches it.
class StatusError : public std::exception {
 public:
  explicit StatusError(Status status) : status_(std::move(status)) {}
  const Status& status() const { return status_; }
  const char* what() const noexcept override { return status_.message().c_str(); }

 private:
  Status status_;
};

/// A value or the reason why there is none.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}          // NOLINT(google-explicit-constructor)
  Result(Status status) : status_(std::move(status)) {}  // NOLINT(google-explicit-constructor)
  bool is_ok() const { return value_.has_value(); }
  const Status& status() const { return status_; }
  T& value() { return *value_; }
  const T& value() const { return *value_; }
  T& operator*() { return *value_; }
  T* operator->() { return &*value_; }

 private:
  std::optional<T> value_;
  Status status_;
};

}  // namespace huiliu::runtime

/// Passes an error on: returns the status of `expression` unless it is ok.
#define HUILIU_RETURN_IF_ERROR(expression)                                                \
  do {                                                                                    \
    if (::huiliu::runtime::Status huiliu_status = (expression); !huiliu_status.is_ok()) { \
      return huiliu_status;                                                               \
    }                                                                                     \
  } while (false)

// NOLINTBEGIN(bugprone-macro-parentheses): a declaration cannot stand in parentheses.
/// Assigns the value of a Result, or returns its status. `target` may declare a variable.
#define HUILIU_ASSIGN_OR_RETURN(target, expression) \
  HUILIU_ASSIGN_OR_RETURN_(HUILIU_JOIN_(huiliu_result_, __LINE__), target, expression)
#define HUILIU_ASSIGN_OR_RETURN_(result, target, expression) \
  auto result = (expression);                                \
  if (!result.is_ok()) return result.status();               \
  target = std::move(result.value())
#define HUILIU_JOIN_(a, b) HUILIU_JOIN_AGAIN_(a, b)
#define HUILIU_JOIN_AGAIN_(a, b) a##b
// NOLINTEND(bugprone-macro-parentheses)
