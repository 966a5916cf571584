// Power loss and kill at every I/O operation of a scripted run, with many seeds: what was synced is there byte for
// byte, what follows is a prefix of what was written, and the log goes on from there.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <functional>
#include <optional>

#include "protocol/base/log.h"
#include "protocol/batch/record_batch.h"
#include "tests/unit/storage/support.h"

namespace cohort::storage {
namespace {

using test::make_batch;
using test::Model;

// A file system that forgets to sync: what a bug in the log would look like.
class ForgetfulFs final : public Fs {
 public:
  ForgetfulFs(MemFs& fs, bool forgets_folders, bool forgets_files)
      : fs_(fs), forgets_folders_(forgets_folders), forgets_files_(forgets_files) {}

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    auto file = fs_.open(path, mode);
    if (!file || !forgets_files_ || !path.ends_with(kSegmentSuffix)) return file;
    return std::make_unique<ForgetfulFile>(std::move(*file));
  }
  Result<std::vector<DirEntry>> list(const std::string& dir) override { return fs_.list(dir); }
  Result<void> rename(const std::string& from, const std::string& to) override { return fs_.rename(from, to); }
  Result<void> remove(const std::string& path) override { return fs_.remove(path); }
  Result<void> make_dir(const std::string& dir) override { return fs_.make_dir(dir); }
  Result<void> remove_dir(const std::string& dir) override { return fs_.remove_dir(dir); }
  Result<void> sync_dir(const std::string& dir) override {
    if (forgets_folders_) return {};
    return fs_.sync_dir(dir);
  }
  Result<std::unique_ptr<FileLock>> lock_file(const std::string& path) override { return fs_.lock_file(path); }
  Result<Space> space(const std::string& dir) override { return fs_.space(dir); }

 private:
  class ForgetfulFile final : public File {
   public:
    explicit ForgetfulFile(std::unique_ptr<File> file) : file_(std::move(file)) {}
    Result<std::size_t> read_at(std::uint64_t position, std::span<std::byte> out) const override {
      return file_->read_at(position, out);
    }
    Result<void> write_at(std::uint64_t position, std::span<const std::byte> bytes) override {
      return file_->write_at(position, bytes);
    }
    Result<std::uint64_t> size() const override { return file_->size(); }
    Result<void> truncate(std::uint64_t size) override { return file_->truncate(size); }
    Result<void> sync_data() override { return {}; }
    Result<void> sync() override { return {}; }

   private:
    std::unique_ptr<File> file_;
  };

  MemFs& fs_;
  bool forgets_folders_;
  bool forgets_files_;
};

using test::End;

// One machine with one log. The script runs until the machine stops; then check() opens the log again and compares.
class Run {
 public:
  Run(LogOptions options, bool forgets_folders, bool forgets_files)
      : options_(options), fs_(disk, forgets_folders, forgets_files) {
    REQUIRE(disk.make_dir("/d"));
    REQUIRE(Log::create_files(disk, "/d", options_, 0));
    REQUIRE(disk.sync_dir("/"));
  }

  MemFs disk;

  // Every writer operation, in a mix that rolls, checkpoints, deletes, closes and opens again.
  void script() {
    if (!open()) return;
    for (int step = 0; step < 40; ++step) {
      const int records = 1 + step % 3;
      if (!append(records, std::size_t(40 + 37 * (step % 9)))) return;
      if (step % 3 != 1 && !sync()) return;
      if (step == 17 && !ok(log_->roll())) return;
      if (step % 10 == 9 && !delete_before(log_->end_offset() - 12)) return;
      if (step == 24 && !(ok(log_->close()) && open())) return;
    }
  }

  void end(End end, unsigned seed) {
    written_end_ = log_ == nullptr ? 0 : log_->end_offset();
    promised_end_ = std::max(promised_end_, log_ == nullptr ? 0 : log_->durable_offset());
    log_.reset();
    if (end == End::kKill) {
      disk.kill();
    } else {
      std::mt19937_64 random(seed);
      disk.crash(random);
    }
  }

  // The rule that the log broke, or nothing.
  std::optional<std::string> check(End end) {
    auto opened = Log::open(fs_, cache_, "/d", options_);
    if (!opened) return "does not open: " + opened.error().message;
    log_ = *opened;
    ++epoch_;
    if (log_->end_offset() < promised_end_) return "synced batches are gone";
    if (end == End::kKill && log_->end_offset() < written_end_) return "a kill lost written batches";
    if (log_->end_offset() > model_.end_offset()) return "more than was ever written";
    if (log_->start_offset() < promised_start_ || log_->start_offset() > asked_start_) return "wrong start offset";
    if (options_.durability == Durability::kSync && log_->durable_offset() != log_->end_offset()) {
      return "open, but not all that is shown is durable";
    }
    const auto bytes = test::read_all(log_);
    if (!bytes) return "cannot be read: " + bytes.error().message;
    if (*bytes != model_.bytes(log_->start_offset(), log_->end_offset())) return "bytes differ";
    if (auto wrong = wrong_epoch()) return wrong;
    // From here on the log is what survived.
    model_.cut(log_->end_offset());
    promised_end_ = std::max(promised_end_, log_->durable_offset());
    promised_start_ = asked_start_ = log_->start_offset();
    return std::nullopt;
  }

  void more() {
    for (int i = 0; i < 6; ++i) {
      if (!append(2, 300) || !sync()) return;
    }
  }

 private:
  static bool ok(const Result<void>& result) { return result.has_value(); }
  bool open() {
    promised_end_ = std::max(promised_end_, log_ == nullptr ? 0 : log_->durable_offset());
    auto opened = Log::open(fs_, cache_, "/d", options_);
    if (!opened) return false;
    log_ = *opened;
    ++epoch_;
    return true;
  }
  bool append(int records, std::size_t value_bytes) {
    const std::int64_t base = log_->end_offset();
    // Before the attempt: if the power fails in the middle, the batch may be there all the same.
    model_.batches.push_back({base, base + records, make_batch(base, records, value_bytes, 1000, ++seed_)});
    protocol::set_partition_leader_epoch(model_.batches.back().bytes, epoch_);
    return ok(log_->append(model_.batches.back().bytes));
  }
  // What the log says of epochs is what stands in the batches.
  std::optional<std::string> wrong_epoch() const {
    LeaderEpochs expected;
    for (const Model::Batch& batch : model_.batches) {
      if (batch.base_offset >= log_->end_offset()) break;
      expected.add(protocol::BatchHeader(batch.bytes.data()).partition_leader_epoch(), batch.base_offset);
    }
    expected.cut_before(log_->start_offset());
    for (std::int32_t epoch = 0; epoch <= epoch_; ++epoch) {
      const EpochEnd known = log_->end_of_epoch(epoch, epoch_);
      const EpochEnd wanted = expected.end_of(epoch, epoch_, log_->end_offset());
      if (known == wanted) continue;
      return fmt::format("epoch {} ends as {} at {}, expected as {} at {}", epoch, known.epoch, known.end_offset,
                         wanted.epoch, wanted.end_offset);
    }
    return std::nullopt;
  }
  bool sync() {
    if (!ok(log_->sync())) return false;
    promised_end_ = log_->end_offset();
    return true;
  }
  bool delete_before(std::int64_t offset) {
    asked_start_ = std::max(asked_start_, offset);
    if (!ok(log_->delete_before(offset))) return false;
    promised_start_ = log_->start_offset();
    return true;
  }

  LogOptions options_;
  ForgetfulFs fs_;
  SegmentCache cache_{4};
  std::shared_ptr<Log> log_;
  Model model_;
  std::int64_t written_end_ = 0;
  std::int64_t promised_end_ = 0;
  std::int64_t promised_start_ = 0;
  std::int64_t asked_start_ = 0;
  unsigned seed_ = 0;
  std::int32_t epoch_ = 0;  // one for each time the log was opened
};

struct Outcome {
  std::size_t runs = 0;
  std::vector<std::string> broken;
};

// Stops the script after each of its I/O operations, `seeds` times each.
Outcome crash_everywhere(LogOptions options, End end, unsigned seeds, bool forgets_folders = false,
                         bool forgets_files = false) {
  log::set_level(log::Level::kOff);  // thousands of failures, all on purpose
  Run whole(options, forgets_folders, forgets_files);
  const std::uint64_t before = whole.disk.operations();
  whole.script();
  const std::uint64_t operations = whole.disk.operations() - before;
  Outcome outcome;
  for (std::uint64_t stop = 0; stop <= operations; ++stop) {
    for (unsigned seed = 0; seed < seeds; ++seed) {
      Run run(options, forgets_folders, forgets_files);
      run.disk.stop_after(stop);
      run.script();
      run.end(end, seed);
      auto broken = run.check(end);
      if (!broken) {  // and once more, a little later
        run.disk.stop_after((stop * 7 + seed) % 40);
        run.more();
        run.end(end, seed + 1000);
        broken = run.check(end);
      }
      ++outcome.runs;
      if (broken) outcome.broken.push_back(fmt::format("operation {} seed {}: {}", stop, seed, *broken));
    }
  }
  log::set_level(log::Level::kWarn);
  return outcome;
}

void require_sound(const Outcome& outcome) {
  INFO((outcome.broken.empty() ? std::string() : outcome.broken.front()));
  REQUIRE(outcome.broken.empty());
  REQUIRE(outcome.runs > 500);
}

TEST_CASE("A synced log survives a power loss at every I/O operation", "[log][crash]") {
  require_sound(crash_everywhere(test::small_log(Durability::kSync), End::kPowerLoss, 6));
}

TEST_CASE("A log left to the operating system survives a power loss as a prefix", "[log][crash]") {
  require_sound(crash_everywhere(test::small_log(Durability::kOs), End::kPowerLoss, 6));
}

TEST_CASE("A log survives a kill at every I/O operation with all that was written", "[log][crash]") {
  require_sound(crash_everywhere(test::small_log(Durability::kSync), End::kKill, 2));
  require_sound(crash_everywhere(test::small_log(Durability::kOs), End::kKill, 2));
}

TEST_CASE("The crash test finds a log that forgets to sync its folder after a new segment", "[log][crash]") {
  const Outcome outcome = crash_everywhere(test::small_log(), End::kPowerLoss, 4, true, false);
  CHECK_FALSE(outcome.broken.empty());
}

TEST_CASE("The crash test finds a log that forgets to sync its files", "[log][crash]") {
  const Outcome outcome = crash_everywhere(test::small_log(), End::kPowerLoss, 4, false, true);
  CHECK_FALSE(outcome.broken.empty());
}

}  // namespace
}  // namespace cohort::storage
