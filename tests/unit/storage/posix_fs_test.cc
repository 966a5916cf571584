#include "server/storage/posix_fs.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <filesystem>
#include <limits>
#include <random>

#include "server/storage/file_region.h"
#include "tests/unit/storage/support.h"

namespace cohort::storage {
namespace {

using test::bytes_of;

// A folder below the system's temporary one, removed at the end.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "cohort_storage_XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string operator/(std::string_view name) const { return path_ + "/" + std::string(name); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

TEST_CASE("PosixFs reads, writes, cuts and syncs", "[posix_fs]") {
  const TemporaryFolder folder;
  PosixFs fs;
  auto file = fs.open(folder / "f", OpenMode::kCreate);
  REQUIRE(file);
  REQUIRE((*file)->write_at(0, bytes_of("hello")));
  REQUIRE((*file)->write_at(7, bytes_of("world")));
  CHECK((*file)->size() == 12u);
  std::array<std::byte, 20> out{};
  CHECK((*file)->read_at(7, out) == 5u);
  REQUIRE((*file)->truncate(5));
  REQUIRE((*file)->sync_data());
  REQUIRE((*file)->sync());
  REQUIRE(fs.sync_dir(folder.path()));
  CHECK(read_whole_file(fs, folder / "f", 100) == "hello");
  CHECK(read_whole_file(fs, folder / "f", 4).error().kind == ErrorKind::kTooLarge);
  const auto missing = fs.open(folder / "missing", OpenMode::kReadWrite);
  CHECK(missing.error().kind == ErrorKind::kNotFound);
  CHECK(missing.error().message == "Cannot open " + (folder / "missing") + ": No such file or directory");
}

TEST_CASE("PosixFs makes, lists, renames and removes", "[posix_fs]") {
  const TemporaryFolder folder;
  PosixFs fs;
  REQUIRE(fs.make_dir(folder / "b"));
  CHECK(fs.make_dir(folder / "b").error().os_error == EEXIST);
  REQUIRE(replace_file(fs, folder.path(), "a", "1"));
  REQUIRE(replace_file(fs, folder.path(), "a", "2"));
  CHECK(*fs.list(folder.path()) == std::vector<DirEntry>{{"a", false}, {"b", true}});
  CHECK(read_whole_file(fs, folder / "a", 10) == "2");
  REQUIRE(fs.rename(folder / "a", folder / "c"));
  REQUIRE(fs.remove(folder / "c"));
  REQUIRE(fs.remove_dir(folder / "b"));
  CHECK(fs.list(folder.path())->empty());
  CHECK(fs.list(folder / "b").error().kind == ErrorKind::kNotFound);
  CHECK(fs.space(folder.path())->free_bytes > 0);
  CHECK(fs.space(folder.path())->total_bytes >= fs.space(folder.path())->free_bytes);
}

TEST_CASE("A lock keeps another process out and goes with its owner", "[posix_fs]") {
  const TemporaryFolder folder;
  PosixFs fs;
  const auto try_in_child = [&] {
    const pid_t child = ::fork();
    if (child == 0) {
      const auto lock = fs.lock_file(folder / ".lock");
      ::_exit(lock ? 0 : lock.error().os_error == EWOULDBLOCK ? 1 : 2);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    return WEXITSTATUS(status);
  };
  auto lock = fs.lock_file(folder / ".lock");
  REQUIRE(lock);
  CHECK(try_in_child() == 1);
  CHECK(fs.lock_file(folder / ".lock").error().os_error == EWOULDBLOCK);
  lock->reset();
  CHECK(try_in_child() == 0);
}

TEST_CASE("A log on a real disk survives a reopen with and without a clean close", "[posix_fs]") {
  const TemporaryFolder folder;
  PosixFs fs;
  SegmentCache cache(4);
  const LogOptions options = test::small_log();
  const std::string dir = folder / "t-0";
  REQUIRE(fs.make_dir(dir));
  REQUIRE(Log::create_files(fs, dir, options, 0));
  test::Model model;
  for (int round = 0; round < 4; ++round) {
    auto log = Log::open(fs, cache, dir, options);
    REQUIRE(log);
    REQUIRE((*log)->end_offset() == model.end_offset());
    REQUIRE(*test::read_all(*log) == model.bytes(0, model.end_offset()));
    if (round > 0) CHECK(((*log)->recovery().batches_scanned == 0) == (round % 2 == 1));
    for (int i = 0; i < 30; ++i) {
      const std::int64_t base = (*log)->end_offset();
      auto batch = test::make_batch(base, 3, 100, 1000, unsigned(i));
      REQUIRE((*log)->append(batch));
      model.batches.push_back({base, base + 3, std::move(batch)});
      REQUIRE((*log)->sync());
    }
    if (round % 2 == 0) REQUIRE((*log)->close());
  }
}

// What a reader of a region would get.
std::vector<std::byte> contents(const protocol::FileRegion& region) {
  std::vector<std::byte> bytes(region.size);
  const auto count = ::pread(region.descriptor, bytes.data(), bytes.size(), static_cast<off_t>(region.position));
  REQUIRE(count == static_cast<ssize_t>(bytes.size()));
  return bytes;
}

// A log with segments of some 200 KB, of batches from 100 bytes to 40 KB.
struct LogOnDisk {
  TemporaryFolder folder;
  PosixFs fs;
  SegmentCache cache{4};
  LogOptions options = test::small_log(Durability::kOs);
  std::shared_ptr<Log> log;

  LogOnDisk() {
    options.segment_bytes = 200'000;
    const std::string dir = folder / "t-0";
    REQUIRE(fs.make_dir(dir));
    REQUIRE(Log::create_files(fs, dir, options, 0));
    auto opened = Log::open(fs, cache, dir, options);
    REQUIRE(opened);
    log = *opened;
    std::mt19937 random(7);
    for (int i = 0; i < 300; ++i) {
      const std::size_t value_bytes = i % 10 == 0 ? random() % 40'000 : random() % 2'000;
      REQUIRE(log->append(test::make_batch(log->end_offset(), 1 + i % 4, value_bytes / 4, 1000, unsigned(i))));
    }
  }
};

TEST_CASE("Records that stay in their file are those that a read would bring", "[posix_fs]") {
  const LogOnDisk disk;
  const Log& log = *disk.log;
  REQUIRE(log.segments().size() > 2);
  std::mt19937 random(11);
  int regions = 0;
  for (int i = 0; i < 3'000; ++i) {
    const auto from = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(log.end_offset()));
    const std::size_t max_bytes = random() % (i % 2 == 0 ? 20'000 : 300'000);
    const auto room = static_cast<std::uint64_t>(log.end_offset() - from) + 1;
    const std::int64_t limit = i % 3 == 0 ? log.end_offset() : from + static_cast<std::int64_t>(random() % room);
    const bool at_least_one = i % 5 != 0;
    INFO("from " << from << " to " << limit << ", " << max_bytes << " bytes");
    const auto read = log.read(from, max_bytes, limit, at_least_one);
    const auto placed = log.read(from, max_bytes, limit, at_least_one, ReadForm::kRegion);
    REQUIRE(read);
    REQUIRE(placed);
    CHECK(placed->next_offset == read->next_offset);
    if (!read->batches.empty()) CHECK(placed->first_offset == read->first_offset);
    REQUIRE(placed->batches.size() == read->batches.size());
    if (const auto* region = placed->batches.region()) {
      ++regions;
      REQUIRE(std::ranges::equal(contents(*region), read->batches.view()));
    } else {
      REQUIRE(std::ranges::equal(placed->batches.view(), read->batches.view()));
    }
  }
  CHECK(regions > 500);
}

TEST_CASE("A region outlives the segment that it lies in", "[posix_fs]") {
  const LogOnDisk disk;
  const auto placed = disk.log->read(0, 100'000, disk.log->end_offset(), true, ReadForm::kRegion);
  REQUIRE(placed);
  REQUIRE(placed->batches.region() != nullptr);
  const auto before = contents(*placed->batches.region());
  REQUIRE(disk.log->delete_before(disk.log->end_offset()));
  CHECK(disk.log->segments().size() == 1);
  CHECK(contents(*placed->batches.region()) == before);
}

TEST_CASE("A region is cut to a budget in whole batches", "[posix_fs]") {
  const LogOnDisk disk;
  const auto placed = disk.log->read(0, 150'000, disk.log->end_offset(), true, ReadForm::kRegion);
  REQUIRE(placed);
  const auto* region = placed->batches.region();
  REQUIRE(region != nullptr);
  std::mt19937 random(13);
  for (int i = 0; i < 300; ++i) {
    const std::size_t limit = random() % region->size;
    const auto read = disk.log->read(0, limit, disk.log->end_offset(), false);
    REQUIRE(read);
    CHECK(fitting_batches(*region, limit, false) == read->batches.size());
  }
  CHECK(fitting_batches(*region, region->size, false) == region->size);
  const auto first = disk.log->read(0, 1, disk.log->end_offset(), true);
  REQUIRE(first);
  CHECK(fitting_batches(*region, 1, true) == first->batches.size());
}

}  // namespace
}  // namespace cohort::storage
