#include "connectors/file/file_rereader.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codecs/files/file_decoder.h"
#include "connectors/file/file_reader.h"
#include "connectors/testing.h"
#include "formats/xls_testing.h"
#include "formats/xlsx_writer.h"
#include "runtime/component/selection.h"

namespace huiliu::connectors {
namespace {

using runtime::ReadResult;
using runtime::Slice;
using testing::Collector;
using testing::config_of;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Positions;
using testing::TemporaryFolder;

/// A folder's file source: read once, then rows of it again.
class Source {
 public:
  Source(const TemporaryFolder& folder, const std::string& config) {
    mend(config);
    context_.node_name = "source";
    context_.base_folder = folder.path();
    context_.clock = &clock_;
    context_.slice_bytes = 64;
    context_.intern = [this](std::string_view name) { return &names_.emplace_back(name); };
    context_.not_found = [this](const std::string& partition, const std::string& why) {
      not_found.push_back(partition + ": " + why);
    };
  }

  void mend(const std::string& config) {
    runtime::Diagnostics diagnostics;
    options_ = codecs::parse_file_options(config_of(config), diagnostics);
    EXPECT_FALSE(diagnostics.has_errors()) << diagnostics.to_string();
  }
  /// Reads all that is new; its positions are committed.
  void run() {
    auto reader = make_file_reader(options_);
    context_.positions = positions;
    ASSERT_TRUE(reader->open(context_).is_ok());
    read_all(*reader, false);
  }
  void select(const std::string& name, std::uint64_t row, const std::string& code = "E1") {
    for (const auto& [file, offset, id] : read_) {
      if (file == name && offset == row) selection_.add(name, {row, id, code});
    }
  }
  /// What comes of the selected rows.
  std::vector<std::string> rejudge() {
    auto reader = make_file_rereader(options_);
    context_.positions = positions;
    context_.selection = &selection_;
    EXPECT_TRUE(reader->open(context_).is_ok());
    slices = 0;
    return read_all(*reader, true);
  }

  Positions positions;
  std::vector<std::string> not_found;
  int slices = 0;

 private:
  std::vector<std::string> read_all(runtime::SourceReader& reader, bool selected) {
    const auto width = static_cast<std::uint32_t>(options_.schema().width());
    const auto decoder = codecs::make_file_decoder(options_, {width + 7, -1});
    runtime::Outputs out("source", 1, width), sunk("sink", 1, 64);
    runtime::Arena arena;
    out.set_arena(&arena);
    std::vector<std::string> found;
    Slice slice;
    Collector rows, rejects;
    const auto note = [&](const runtime::Record& record, const std::string& what) {
      const runtime::Origin& at = record.origin;
      if (!selected) read_.emplace_back(*at.partition, at.offset, record.id);
      if (selected && !slice.whole && !selection_.has(record.id)) return;
      found.push_back(*at.partition + ":" + std::to_string(at.offset) + " " + what);
    };
    rows.on_record = [&](const runtime::Record& record) {
      note(record, record[0].is_null() ? "-" : std::string(record[0].text()));
    };
    rejects.on_record = [&](const runtime::Record& record) {
      note(record, std::string(record[width].text()));
    };
    out.port(0).target = &rows;
    out.reject_port().target = &rejects;
    out.port(0).target_outputs = out.reject_port().target_outputs = &sunk;
    while (reader.read(slice) == ReadResult::kSlice) {
      ++slices;
      EXPECT_TRUE(!selected || slice.whole || slice.positions.empty());
      decoder->decode(slice, out);
      testing::merge(positions, slice.positions);
    }
    return found;
  }

  codecs::FileOptions options_;
  runtime::ManualClock clock_{4'000'000'000'000};
  runtime::SourceContext context_;
  std::deque<std::string> names_;
  std::vector<std::tuple<std::string, std::uint64_t, std::uint64_t>> read_;
  runtime::Selection selection_{1, ""};
};

const std::string kFolder = "{path: in, fields: [a, b]}";

std::string lines(int count) {
  std::string text;
  for (int i = 1; i <= count; ++i) text += "{\"a\":\"" + std::to_string(i) + "\"}\n";
  return text;
}

TEST(FileRereader, ReadsSelectedRowsOfSeveralFiles) {
  TemporaryFolder folder;
  folder.write("in/a.ndjson", lines(100));
  folder.write("in/b/c.csv", "a,b\n1,2\n3,4\n\"5\n5\",6\n7,8\n");
  folder.write("in/d.ndjson", lines(3));
  Source source(folder, kFolder);
  source.run();
  const Positions before = source.positions;
  source.select("a.ndjson", 2);
  source.select("a.ndjson", 50);
  source.select("b/c.csv", 3);
  EXPECT_THAT(source.rejudge(), ElementsAre("a.ndjson:2 2", "a.ndjson:50 50", "b/c.csv:3 5\n5"));
  EXPECT_EQ(source.slices, 3);
  EXPECT_EQ(source.positions, before);
  EXPECT_THAT(source.not_found, IsEmpty());
}

TEST(FileRereader, ReadsRowsOfAWorkbook) {
  TemporaryFolder folder;
  std::filesystem::create_directories(folder.path("in"));
  {
    formats::XlsxWriter writer(folder.path("in/w.xlsx"));
    ASSERT_TRUE(writer.add_sheet({}).ok());
    ASSERT_TRUE(writer.write_header(std::vector<std::string>{"a", "b"}).ok());
    for (const char* row : {"1", "2", "3"}) {
      ASSERT_TRUE(writer.write_text(0, row).ok());
      ASSERT_TRUE(writer.write_text(1, "x").ok());
      ASSERT_TRUE(writer.end_row().ok());
    }
    ASSERT_TRUE(writer.close().ok());
  }
  Source source(folder, kFolder);
  source.run();
  source.select("w.xlsx", 2);
  EXPECT_THAT(source.rejudge(), ElementsAre("w.xlsx:2 2"));
}

TEST(FileRereader, ReadsRowsOfAnOldWorkbookWhateverItsName) {
  TemporaryFolder folder;
  formats::testing::XlsBuilder book;
  auto& sheet = book.sheet(u"s");
  sheet.cells = book.text(1, 0, u"a") + book.text(1, 1, u"b");
  for (unsigned row = 2; row < 5; ++row) sheet.cells += book.number(row, 0, row);
  for (const char* name : {"w.xls", "w.csv"}) {
    folder.write(std::string("in/") + name, book.file());
    Source source(folder, kFolder);
    source.run();
    source.select(name, 2);
    EXPECT_THAT(source.rejudge(), ElementsAre(std::string(name) + ":2 3"));
    EXPECT_THAT(source.not_found, IsEmpty());
    std::filesystem::remove(folder.path(std::string("in/") + name));
  }
}

TEST(FileRereader, NamesFilesThatAreGoneOrChanged) {
  TemporaryFolder folder;
  for (const char* name : {"a", "b", "c"}) {
    folder.write(std::string("in/") + name + ".ndjson", std::string("{\"a\":\"") + name + "\"}\n");
  }
  Source source(folder, kFolder);
  source.run();
  for (const char* name : {"a.ndjson", "b.ndjson", "c.ndjson"}) source.select(name, 1);
  std::filesystem::remove(folder.path("in/a.ndjson"));
  folder.write("in/b.ndjson", "{\"a\":\"B\"}\n");
  EXPECT_THAT(source.rejudge(), ElementsAre("c.ndjson:1 c"));
  EXPECT_THAT(source.not_found, ElementsAre("a.ndjson: the file is gone",
                                            "b.ndjson: the file was changed since it was read"));
}

TEST(FileRereader, TellsTwoDeliveriesOfOneNameApart) {
  TemporaryFolder folder;
  folder.write("in/a.ndjson", "{\"a\":\"old\"}\n");
  Source source(folder, kFolder);
  source.run();
  source.select("a.ndjson", 1);
  folder.write("in/a.ndjson", "{\"a\":\"newer\"}\n");
  source.run();
  EXPECT_THAT(source.rejudge(), IsEmpty());
  EXPECT_THAT(source.not_found, ElementsAre("a.ndjson: the file was changed since it was read"));
}

TEST(FileRereader, ReadsTheRestOfAFileThatWasRefusedAsAWhole) {
  TemporaryFolder folder;
  folder.write("in/a.csv", "x,y\n1,2\n3,4\n");
  Source source(folder, kFolder);
  source.run();
  source.select("a.csv", 1, "E805_BAD_FILE");
  EXPECT_THAT(source.rejudge(), ElementsAre("a.csv:1 E805_BAD_FILE"));
  source.mend("{path: in, fields: [a, b], mappings: [{columns: {x: a, y: b}}]}");
  EXPECT_THAT(source.rejudge(), ElementsAre("a.csv:1 1", "a.csv:2 3"));
  const Positions after = source.positions;
  source.run();
  EXPECT_EQ(source.positions, after);  // it is known as read
}

TEST(FileRereader, ReadsRowsAndTheRestOfConvertedFiles) {
  TemporaryFolder folder;
  std::string wide = "\xFF\xFE";
  for (const char c : std::string("a,b\n1,2\n3,4\n")) wide.append(1, c).append(1, '\0');
  folder.write("in/a.csv", wide);
  folder.write("in/b.xml", "<ROWDATA><ROW><a>1</a></ROW><ROW><a>2</a></ROW></ROWDATA>");
  folder.write("in/c.json", "[{\"a\":\"1\"},{\"a\":\"2\"},]");
  Source source(folder, kFolder);
  source.run();
  const Positions before = source.positions;
  source.select("a.csv", 2);
  source.select("b.xml", 2);
  source.select("c.json", 2);
  source.select("c.json", 3, "E805_BAD_FILE");
  EXPECT_THAT(source.rejudge(),
              ElementsAre("a.csv:2 3", "b.xml:2 2", "c.json:2 2", "c.json:3 E805_BAD_FILE"));
  EXPECT_THAT(source.not_found, IsEmpty());
  EXPECT_EQ(source.positions, before);
  source.run();
  EXPECT_EQ(source.positions, before);
}

}  // namespace
}  // namespace huiliu::connectors
