#include "connectors/http/http_reader.h"

#include <filesystem>
#include <future>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "connectors/http/batch_form.h"
#include "state/intake/intake_log.h"

namespace huiliu::connectors {
namespace {

using runtime::ReadResult;

class HttpReaderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / fmt::format("huiliu-reader-{}", ::getpid());
    std::filesystem::remove_all(folder_);
    options_.listen = "127.0.0.1:0";
    options_.rows.fields = {{.name = "id"}};
    options_.rows.quiet = true;
    log_ = std::move(state::IntakeLog::open(folder_.string(), options_.intake).value());
  }
  void TearDown() override {
    log_.reset();
    std::filesystem::remove_all(folder_);
  }
  void append(const std::string& body, codecs::FileFormat format = codecs::FileFormat::kAuto) {
    std::promise<bool> told;
    log_->append({.about = BatchForm{format, "dept", ""}.to_text(), .body = body},
                 [&](const auto& receipt) { told.set_value(receipt.status.is_ok()); });
    EXPECT_TRUE(told.get_future().get());
  }
  std::unique_ptr<runtime::SourceReader> open(const std::string& position = "") {
    auto reader = make_http_reader(options_);
    runtime::SourceContext context;
    context.node_name = "in";
    context.clock = &runtime::system_clock();
    context.slice_bytes = 64;
    context.intern = [this](std::string_view name) {
      partition_ = name;
      return &partition_;
    };
    if (!position.empty()) context.positions = {{"entry", position}};
    context.intake =
        [this](const runtime::IntakeOptions&) -> runtime::Result<std::shared_ptr<runtime::Intake>> {
      return std::shared_ptr<runtime::Intake>(log_);
    };
    status_ = reader->open(context);
    return reader;
  }

  std::filesystem::path folder_;
  HttpOptions options_;
  std::shared_ptr<state::IntakeLog> log_;
  std::string partition_;
  runtime::Status status_;
};

/// The rest of the input as text, and the positions behind each slice.
std::pair<std::string, std::vector<std::string>> rest_of(runtime::SourceReader& reader) {
  std::pair<std::string, std::vector<std::string>> rest;
  runtime::Slice slice;
  while (reader.read(slice) == ReadResult::kSlice) {
    rest.first += slice.bytes;
    if (!rest.first.empty() && rest.first.back() != '\n') rest.first += '\n';
    rest.second.push_back(slice.positions.at(0).second);
  }
  return rest;
}

TEST_F(HttpReaderTest, GoesOnAtEveryPosition) {
  std::string lines;
  for (int i = 0; i < 20; ++i) lines += fmt::format("{{\"id\": \"row-{:03}\"}}\n", i);
  append(lines);
  append("{\"id\": \"last\"}\n");
  append("id\nfrom csv\n", codecs::FileFormat::kCsv);
  const auto whole = rest_of(*open());
  ASSERT_TRUE(status_.is_ok()) << status_.message();
  EXPECT_GT(whole.second.size(), 5u) << "one batch is several slices";
  EXPECT_EQ(whole.second.back(), "3");
  std::size_t begin = 0;
  for (const std::string& position : whole.second) {
    const auto again = rest_of(*open(position));
    ASSERT_TRUE(status_.is_ok()) << status_.message();
    EXPECT_TRUE(whole.first.ends_with(again.first)) << position;
    EXPECT_EQ(again.second.size(), whole.second.size() - ++begin) << position;
  }
}

TEST_F(HttpReaderTest, OffsetsSayTheBatchAndTheRow) {
  append("{\"id\": \"a\"}\n{\"id\": \"b\"}\n");
  append("{\"id\": \"c\"}\n");
  const auto reader = open();
  runtime::Slice slice;
  ASSERT_EQ(reader->read(slice), ReadResult::kSlice);
  EXPECT_EQ(BatchRow::of(slice.first_offset).batch, 1u);
  EXPECT_EQ(BatchRow::of(slice.first_offset).row, 1u);
  EXPECT_EQ(*slice.partition, "dept");
  ASSERT_EQ(reader->read(slice), ReadResult::kSlice);
  EXPECT_EQ(BatchRow::of(slice.first_offset).batch, 2u);
}

TEST_F(HttpReaderTest, AnIntakeThatIsOlderThanTheStateIsRefused) {
  append("{\"id\": \"a\"}\n");
  open("2");
  EXPECT_EQ(status_.code(), runtime::StatusCode::kCorrupt);
  open("1");
  EXPECT_TRUE(status_.is_ok());
}

}  // namespace
}  // namespace huiliu::connectors
