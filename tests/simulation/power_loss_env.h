#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include <rocksdb/env.h>

namespace huiliu::simulation {

/// Files in memory, of which a loss of power leaves what was synced and a part of what was not.
class PowerLossEnv final : public rocksdb::EnvWrapper {
 public:
  PowerLossEnv();

  rocksdb::Status NewWritableFile(const std::string& name,
                                  std::unique_ptr<rocksdb::WritableFile>* file,
                                  const rocksdb::EnvOptions& options) override;
  rocksdb::Status ReopenWritableFile(const std::string& name,
                                     std::unique_ptr<rocksdb::WritableFile>* file,
                                     const rocksdb::EnvOptions& options) override;
  rocksdb::Status RenameFile(const std::string& from, const std::string& to) override;
  rocksdb::Status DeleteFile(const std::string& name) override;

  /// Cuts every file to its synced length and a random part of the rest; no file may be open.
  void lose_power(std::uint64_t random);
  void wrote(const std::string& name, std::uint64_t bytes);
  void synced(const std::string& name);

 private:
  struct Length {
    std::uint64_t written = 0, synced = 0;
  };
  explicit PowerLossEnv(std::unique_ptr<rocksdb::Env> memory);

  std::unique_ptr<rocksdb::Env> memory_;
  std::mutex mutex_;
  std::map<std::string, Length> lengths_;
};

}  // namespace huiliu::simulation
