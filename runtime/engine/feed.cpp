#include "runtime/engine/feed.h"

#include <algorithm>

#include "runtime/base/log_context.h"
#include "runtime/base/stored_number.h"
#include "runtime/component/backend.h"
#include "runtime/component/meta_key.h"
#include "runtime/engine/caught.h"
#include "runtime/record/partition_names.h"

namespace huiliu::runtime {
namespace {

constexpr std::int64_t kMostIdleMs = 10;
/// How long a reader with a thread of its own may wait for its store: as long as a stop may take.
constexpr std::int64_t kMostWaitMs = 100;
constexpr std::int64_t kMostQuietMs = 10'000;

}  // namespace

Feed::Feed(RunContext& run, std::size_t node, std::uint32_t index)
    : run_(run), description_(run.topology->nodes[node]), node_(node), index_(index) {
  const SourceType& type = *description_.source;
  reader_ = run.selection != nullptr ? type.create_rereader(*description_.source_declaration)
                                     : type.create_reader(*description_.source_declaration);
}

Feed::~Feed() {
  stop();
  join();
}

SourceContext Feed::context() {
  SourceContext context;
  context.node_name = description_.name;
  context.topology_id = run_.topology->id;
  context.base_folder = run_.topology->folder;
  const std::string prefix = MetaKey::source(description_.name);
  context.positions = without_prefix(run_.backend->meta(prefix), prefix);
  context.times.assign(saved_times_.begin(), saved_times_.end());
  context.intern = intern_partition;
  context.clock = run_.clock;
  context.splits = this;
  context.parts = &run_.parts;
  context.intake = [this](const IntakeOptions& options) {
    return run_.intakes.open(description_.name, options);
  };
  context.ending = [this] {
    const std::lock_guard lock(mutex_);
    return stopping_;
  };
  context.nothing_follows = [this] { return nothing_follows_.load(); };
  context.slice_bytes = run_.slice_bytes;
  context.owned_shards = run_.backend->owned_shards();
  context.shards = run_.topology->shards;
  context.selection = run_.selection;
  context.not_found = [this](const std::string& partition, const std::string& why) {
    run_.unread.not_found(partition, why);
  };
  context.left_out = [this](const std::string& name, const std::string& why) {
    run_.unread.left_out(description_.name, name, why);
  };
  return context;
}

Status Feed::open() {
  const std::string prefix = MetaKey::time(description_.name);
  for (auto& [key, value] : without_prefix(run_.backend->meta(prefix), prefix)) {
    saved_times_[key] = std::move(value);
  }
  HUILIU_RETURN_IF_ERROR(retry(run_, description_.name, [&] { return reader_->open(context()); }));
  bounded_ = reader_->is_bounded();
  if (!reader_->has_splits()) announce({.key = {}, .live = !bounded_});
  return Status::ok();
}

SplitId Feed::announce(const SplitDescription& split) {
  const std::lock_guard lock(mutex_);
  SplitEvent event{SplitEvent::Kind::kAnnounced, index_, next_split_++};
  event.key = split.key;
  event.live = split.live;
  event.shard = split.shard;
  event.time = split.time;
  // The engine's own sources tell times themselves.
  const auto saved = saved_times_.find(split.key);
  if (saved != saved_times_.end() && !description_.internal) {
    event.time =
        stored_number<std::int64_t>(saved->second, MetaKey::time(description_.name, split.key));
  }
  events_.push_back(std::move(event));
  return events_.back().split;
}

void Feed::end(SplitId split) {
  const std::lock_guard lock(mutex_);
  events_.push_back({SplitEvent::Kind::kEnded, index_, split});
}

void Feed::start() {
  threaded_ = true;
  waits_ = reader_->may_wait(kMostWaitMs);
  thread_ = Thread([this] {
    const LogScope scope{std::string_view(description_.name)};
    Status status = caught([this] {
      run();
      return Status::ok();
    });
    if (!status.is_ok()) run_.end.fail(std::move(status));
  });
}

void Feed::stop() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  wake_.notify_all();
}

void Feed::join() {
  if (thread_.joinable()) thread_.join();
}

void Feed::run() {
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      const auto has_work = [&] {
        return stopping_ || !committed_.empty() || !holds_.empty() ||
               (has_room() && run_.clock->steady_ms() >= not_before_);
      };
      while (!has_work()) {
        const std::int64_t until = not_before_ - run_.clock->steady_ms();
        wake_.wait_for(lock, has_room() && until > 0 ? until : 1000);
      }
      if (stopping_ || state_ == State::kEnded) return;
    }
    read_once(run_.clock->steady_ms());
  }
}

// One read at a time; the lock is not held meanwhile.
void Feed::read_once(std::int64_t now) {
  std::vector<PositionChange> committed;
  std::vector<std::pair<SplitId, bool>> holds;
  bool room = false;
  {
    const std::lock_guard lock(mutex_);
    committed = std::exchange(committed_, {});
    holds = std::exchange(holds_, {});
    room = has_room() && now >= not_before_;
  }
  if (!committed.empty()) reader_->committed(committed);
  for (const auto& [split, held] : holds) reader_->hold(split, held);
  if (!room) return;
  std::shared_ptr<SliceMemory> memory = run_.pool->take();
  memory->slice.split = kNoSplit;
  memory->slice.told.reset();
  memory->slice.backlog.reset();
  const ReadResult result = reader_->read(memory->slice);
  if (!reader_->has_splits()) memory->slice.split = 0;
  finish_read(result, std::move(memory), run_.clock->steady_ms());
  if (result == ReadResult::kFailed) run_.end.fail(reader_->failure());
  if (threaded_ && result != ReadResult::kIdle) run_.bell.ring();
}

void Feed::report_health(ReadResult result) {
  std::string_view why = reader_->away();
  if (result == ReadResult::kRetry) why = "it cannot be read; the log says why";
  if (result == ReadResult::kRetry || why != away_) {
    why.empty() ? run_.health.works(description_.name)
                : run_.health.failed(description_.name, std::string(why));
  }
  away_ = why;
}

void Feed::finish_read(ReadResult result, std::shared_ptr<SliceMemory> memory, std::int64_t now) {
  const auto progress = reader_->progress();
  const bool caught_up = !bounded_ && result == ReadResult::kIdle && reader_->has_caught_up();
  const std::lock_guard lock(mutex_);
  caught_up_ = caught_up_ || caught_up;
  if (result == ReadResult::kSlice) quiet_since_ = now;
  progress_ = progress;
  report_health(result);
  switch (result) {
    case ReadResult::kSlice:
      ready_.push_back({std::move(memory), std::exchange(events_, {})});
      state_ = State::kReading;
      backoff_.reset();
      idle_ms_ = 0;
      break;
    case ReadResult::kIdle:
      state_ = State::kIdle;
      idle_ms_ = std::clamp<std::int64_t>(idle_ms_ * 2, 1, kMostIdleMs);
      not_before_ = waits_ ? now : now + idle_ms_;
      break;
    case ReadResult::kRetry:
      state_ = State::kIdle;
      not_before_ = now + backoff_.next_ms();
      break;
    case ReadResult::kEnd:
      events_.push_back({SplitEvent::Kind::kSourceEnded, index_});
      [[fallthrough]];
    case ReadResult::kFailed:
      state_ = State::kEnded;
      break;
  }
}

Feed::State Feed::look(std::int64_t now) {
  bool reads = false;
  {
    const std::lock_guard lock(mutex_);
    reads = !threaded_ && ready_.empty() && state_ != State::kEnded && now >= not_before_;
  }
  if (reads) read_once(now);
  const std::lock_guard lock(mutex_);
  return ready_.empty() ? state_ : State::kReady;
}

bool Feed::has_caught_up(std::int64_t now) {
  const std::lock_guard lock(mutex_);
  if (!ready_.empty()) return false;
  if (caught_up_ || state_ == State::kEnded) return true;
  if (bounded_) return false;
  if (quiet_since_ < 0) quiet_since_ = now;
  return now - quiet_since_ >= kMostQuietMs;
}

Feed::Taken Feed::take() {
  const std::lock_guard lock(mutex_);
  Taken taken = std::move(ready_.front());
  ready_.pop_front();
  taken.queued = ready_.size();
  wake_.notify_all();
  return taken;
}

std::vector<SplitEvent> Feed::take_events() {
  const std::lock_guard lock(mutex_);
  if (!ready_.empty()) return {};
  return std::exchange(events_, {});
}

std::pair<std::uint64_t, std::uint64_t> Feed::progress() const {
  const std::lock_guard lock(mutex_);
  return progress_;
}

std::vector<Figure> Feed::figures() const {
  std::vector<Figure> figures = reader_->figures();
  for (Figure& figure : figures) {
    figure.labels.insert(figure.labels.begin(), {"source", description_.name});
  }
  return figures;
}

void Feed::hold(SplitId split, bool held) {
  const std::lock_guard lock(mutex_);
  holds_.emplace_back(split, held);
  wake_.notify_all();
}

void Feed::committed(const std::vector<PositionChange>& positions) {
  const std::lock_guard lock(mutex_);
  committed_.insert(committed_.end(), positions.begin(), positions.end());
  wake_.notify_all();
}

}  // namespace huiliu::runtime
