#pragma once

#include <memory>

#include "connectors/files/file_input.h"
#include "runtime/source.h"

namespace huiliu::connectors::files {

/// Decoders share these: fills the row, checks types, emits or rejects.
class RowBuilder {
 public:
  RowBuilder(const FileSourceOptions& options, const runtime::DecoderContext& context);

  /// Starts the row with number `offset` in the slice; every field is null or the file's constant.
  void start(const runtime::Slice& slice, const Mapping& mapping, std::uint64_t offset);
  void set_text(std::size_t field, std::string_view text);
  /// Text for a field of any type; false if it does not fit.
  bool set(std::size_t field, std::string_view text);
  const InputField& field(std::size_t index) const { return options_.fields[index]; }
  void emit(runtime::Outputs& out);
  void reject(runtime::Outputs& out, std::string_view code, std::string_view field,
              std::string_view value, std::string_view en, std::string_view zh);

 private:
  const FileSourceOptions& options_;
  int event_time_field_;
  std::vector<runtime::Value> row_;
  runtime::Record record_;
};

std::unique_ptr<runtime::Decoder> make_file_decoder(const FileSourceOptions& options,
                                                    const runtime::DecoderContext& context);

/// Decodes NDJSON slices.
class JsonDecoder {
 public:
  JsonDecoder(const FileSourceOptions& options, RowBuilder& rows);
  ~JsonDecoder();
  void decode(const runtime::Slice& slice, const FileInfo& file, runtime::Outputs& out);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Decodes CSV slices, and spreadsheet rows that the reader wrote as CSV.
class CsvDecoder {
 public:
  CsvDecoder(const FileSourceOptions& options, RowBuilder& rows);
  ~CsvDecoder();
  void decode(const runtime::Slice& slice, const FileInfo& file, runtime::Outputs& out);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace huiliu::connectors::files
