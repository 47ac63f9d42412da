#include "connectors/http/http_reader.h"

#include <atomic>
#include <filesystem>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "connectors/http/http_intake.h"
#include "net/http_server.h"
#include "runtime/base/paths.h"
#include "runtime/base/stored_number.h"
#include "runtime/component/intake_input.h"
#include "runtime/record/key.h"

namespace huiliu::connectors {
namespace {

using runtime::IntakeEntry;
using runtime::ReadResult;
using runtime::Slice;
using runtime::Status;

/// Of the position: the last batch of which everything was given, and behind a blank how far the
/// next one was.
constexpr std::string_view kEntry = "entry";
constexpr int kIdleSeconds = 60;  // for large bodies over slow lines

class HttpReader final : public runtime::SourceReader {
 public:
  explicit HttpReader(const HttpOptions& options) : options_(options) {}
  /// Answers that are still to come use the handler: first nobody asks, then nobody answers.
  ~HttpReader() override {
    server_.reset();
    input_.close();
  }

  Status open(const runtime::SourceContext& context) override {
    context_ = context;
    HUILIU_RETURN_IF_ERROR(read_position());
    if (!senders_) senders_ = std::make_unique<Senders>(resolved(options_.senders));
    HUILIU_RETURN_IF_ERROR(senders_->load());
    if (!context.intake)
      return Status::invalid(context.node_name + ": nothing can be sent to it here");
    auto intake = input_.intake();
    if (!intake) {
      HUILIU_ASSIGN_OR_RETURN(intake, context.intake(options_.intake));
    }
    HUILIU_RETURN_IF_ERROR(input_.open(context.node_name, "requests", given_, std::move(intake)));
    committed_ = given_;
    return listen();
  }

  ReadResult read(Slice& slice) override {
    for (;;) {
      if (rows_) {
        if (rows_->read(slice, context_.slice_bytes)) return give(slice);
        rows_.reset();
        // The end was found without a last row: that must be committed as well.
        if (!ended_) return give_end(slice);
      }
      if (const ReadResult fetched = input_.fetch(wait_ms_); fetched != ReadResult::kSlice) {
        return fetched;
      }
      if (!begin()) return ReadResult::kFailed;
    }
  }

  bool may_wait(std::int64_t most_ms) override {
    wait_ms_ = most_ms;
    return true;
  }
  void committed(const std::vector<runtime::PositionChange>& positions) override {
    for (const auto& [key, value] : positions) {
      if (key != kEntry) continue;
      const std::uint64_t number = number_of(value);
      committed_ = number;
      input_.intake()->consumed(number);
    }
  }
  Status failure() const override { return failure_.is_ok() ? input_.failure() : failure_; }
  std::vector<runtime::Figure> figures() const override { return input_.figures(); }

 private:
  std::string resolved(const std::string& path) const {
    return path.empty() ? "" : runtime::resolve_path(context_.base_folder, path);
  }
  std::optional<net::TlsOptions> tls() const {
    if (!options_.tls) return std::nullopt;
    return net::TlsOptions{resolved(options_.tls->certificate), resolved(options_.tls->key),
                           resolved(options_.tls->client_ca)};
  }

  std::uint64_t number_of(const std::string& value) const {
    return runtime::stored_number<std::uint64_t>(value.substr(0, value.find(' ')),
                                                 context_.node_name);
  }

  Status read_position() {
    given_ = 0;
    within_.clear();
    for (const auto& [key, value] : context_.positions) {
      if (key != kEntry) continue;
      given_ = number_of(value);
      const std::size_t blank = value.find(' ');
      if (blank != std::string::npos) within_ = value.substr(blank + 1);
    }
    rows_.reset();
    return Status::ok();
  }

  Status listen() {
    if (server_) return Status::ok();
    handler_ = std::make_unique<HttpIntake>(options_, context_.node_name, *input_.intake(),
                                            *senders_, *context_.clock, committed_);
    net::HttpLimits limits;
    limits.body_bytes = options_.max_body;
    limits.connections = options_.connections;
    limits.all_body_bytes = options_.max_bodies;
    limits.idle_seconds = kIdleSeconds;
    limits.admit = [raw = handler_.get()](const net::HttpRequest& head) {
      return raw->refusal(head);
    };
    auto started = net::HttpServer::start(
        options_.listen,
        net::HttpServer::AsyncHandler(
            [raw = handler_.get()](net::HttpRequest request, net::HttpReply reply) {
              raw->answer(std::move(request), std::move(reply));
            }),
        limits, tls());
    if (!started.is_ok()) {
      return Status::invalid(context_.node_name + ": " + started.status().message());
    }
    server_ = std::move(started.value());
    spdlog::info("{}: takes requests at {}://{}/v1/batches", context_.node_name,
                 options_.tls ? "https" : "http", server_->address());
    return Status::ok();
  }

  bool begin() {
    const IntakeEntry entry = std::move(input_.front());
    input_.pop();
    const auto form = BatchForm::parse(entry.about);
    if (!form) {
      failure_ = Status::corrupt(
          fmt::format("{}: request {} is of a later version", context_.node_name, entry.number));
      return false;
    }
    auto rows = BatchRows::open(options_.rows, *form, entry.body, std::exchange(within_, ""));
    if (!rows.is_ok()) {
      failure_ = rows.status();
      return false;
    }
    rows_ = std::move(rows.value());
    number_ = entry.number;
    ended_ = false;
    partition_ = context_.intern(form->sender);
    partition_hash_ = runtime::KeyBuilder::hash_bytes(*partition_);
    return true;
  }

  ReadResult give(Slice& slice) {
    slice.first_offset = BatchRow{number_, slice.first_offset}.offset();
    ended_ = rows_->done();
    place(slice,
          ended_ ? std::to_string(number_) : fmt::format("{} {}", number_ - 1, rows_->position()));
    return ReadResult::kSlice;
  }

  ReadResult give_end(Slice& slice) {
    ended_ = true;
    slice.bytes.clear();
    slice.format = static_cast<std::uint32_t>(codecs::SliceFormat::kNdjson);
    slice.detail = codecs::make_layout(options_.rows, "batch");
    slice.first_offset = BatchRow{number_, 0}.offset();
    place(slice, std::to_string(number_));
    return ReadResult::kSlice;
  }

  void place(Slice& slice, std::string position) {
    slice.partition = partition_;
    slice.partition_hash = partition_hash_;
    slice.positions.assign(1, {std::string(kEntry), std::move(position)});
    slice.backlog = runtime::Backlog{input_.intake()->last() - number_, true};
  }

  const HttpOptions options_;
  runtime::SourceContext context_;
  std::unique_ptr<Senders> senders_;
  runtime::IntakeInput input_;
  std::atomic<std::uint64_t> committed_{0};
  std::unique_ptr<HttpIntake> handler_;
  std::unique_ptr<net::HttpServer> server_;  // it calls the handler, which answers by the intake
  std::int64_t wait_ms_ = 0;
  std::uint64_t given_ = 0;
  std::string within_;  // where the batch behind `given_` goes on
  std::unique_ptr<BatchRows> rows_;
  std::uint64_t number_ = 0;
  bool ended_ = false;
  const std::string* partition_ = nullptr;
  std::uint64_t partition_hash_ = 0;
  Status failure_ = Status::ok();
};

}  // namespace

std::unique_ptr<runtime::SourceReader> make_http_reader(const HttpOptions& options) {
  return std::make_unique<HttpReader>(options);
}

}  // namespace huiliu::connectors
