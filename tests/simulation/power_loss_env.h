#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>

#include <rocksdb/env.h>

namespace huiliu::simulation {

/// Files in memory, of which a loss of power leaves what was synced and a part of what was not; of
/// names that their folder got since it was synced, some are gone. Table files may be read from a
/// disk that fails now and then.
class PowerLossEnv final : public rocksdb::EnvWrapper {
 public:
  PowerLossEnv();

  rocksdb::Status NewWritableFile(const std::string& name,
                                  std::unique_ptr<rocksdb::WritableFile>* file,
                                  const rocksdb::EnvOptions& options) override;
  rocksdb::Status NewRandomAccessFile(const std::string& name,
                                      std::unique_ptr<rocksdb::RandomAccessFile>* file,
                                      const rocksdb::EnvOptions& options) override;
  rocksdb::Status ReopenWritableFile(const std::string& name,
                                     std::unique_ptr<rocksdb::WritableFile>* file,
                                     const rocksdb::EnvOptions& options) override;
  rocksdb::Status RenameFile(const std::string& from, const std::string& to) override;
  rocksdb::Status LinkFile(const std::string& from, const std::string& to) override;
  rocksdb::Status DeleteFile(const std::string& name) override;
  rocksdb::Status NewDirectory(const std::string& name,
                               std::unique_ptr<rocksdb::Directory>* directory) override;

  /// Cuts every file to its synced length and a random part of the rest, and takes away some of the
  /// names that are not on disk; no file may be open.
  void lose_power(std::uint64_t random);
  void wrote(const std::string& name, std::uint64_t bytes);
  void synced(const std::string& name);
  /// All names of the folder are on disk.
  void synced_names(const std::string& folder);

  /// From now on one of `one_in` writes and syncs fails; 0: none.
  void fail_writes(std::uint64_t one_in, std::uint64_t seed);
  /// Whether the next one does.
  bool write_fails();

  /// From now on one of `one_in` reads of table files fails or has a flipped byte; 0: none.
  void fail_reads(std::uint64_t one_in, std::uint64_t seed);
  /// What happens to a read, which is at the end of its file or before it.
  rocksdb::Status disturb(rocksdb::Slice& bytes, char* scratch, bool at_end);
  std::uint64_t failed_reads() const;

 private:
  struct Length {
    std::uint64_t written = 0, synced = 0;
  };
  explicit PowerLossEnv(std::unique_ptr<rocksdb::Env> memory);

  std::unique_ptr<rocksdb::Env> memory_;
  mutable std::mutex mutex_;
  std::map<std::string, Length> lengths_;
  std::set<std::string> new_names_;  ///< of files whose folder was not synced since
  std::uint64_t one_in_ = 0, failed_reads_ = 0;
  std::mt19937_64 random_;
  std::uint64_t write_one_in_ = 0;
  std::mt19937_64 write_random_;
};

}  // namespace huiliu::simulation
