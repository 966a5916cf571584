#include "server/storage/mem_fs.h"

#include <catch2/catch.hpp>
#include <cerrno>
#include <set>

#include "tests/unit/storage/support.h"

namespace cohort::storage {
namespace {

using test::bytes_of;

std::unique_ptr<File> must_open(MemFs& fs, const std::string& path, OpenMode mode) {
  auto file = fs.open(path, mode);
  REQUIRE(file);
  return std::move(*file);
}

bool exists(MemFs& fs, const std::string& path) {
  return fs.open(path, OpenMode::kRead).has_value();
}

// Runs `prepare` on a fresh machine and lets the power fail, for many seeds; gives all outcomes of `look`.
template <typename Prepare, typename Look>
auto outcomes(Prepare prepare, Look look) {
  std::set<decltype(look(std::declval<MemFs&>()))> all;
  for (unsigned seed = 0; seed < 3000; ++seed) {
    MemFs fs;
    prepare(fs);
    std::mt19937_64 random(seed);
    fs.crash(random);
    all.insert(look(fs));
  }
  return all;
}

TEST_CASE("MemFs reads back what was written, with holes as zeros", "[mem_fs]") {
  MemFs fs;
  auto file = must_open(fs, "/f", OpenMode::kCreate);
  REQUIRE(file->write_at(3, bytes_of("abc")));
  REQUIRE(file->write_at(0, bytes_of("x")));
  CHECK(fs.contents("/f") == std::string("x\0\0abc", 6));
  std::array<std::byte, 10> out{};
  CHECK(file->read_at(4, out) == 2u);
  CHECK(file->read_at(6, out) == 0u);
  CHECK(file->read_at(600, out) == 0u);
  REQUIRE(file->truncate(2));
  CHECK(file->size() == 2u);
  CHECK(fs.open("/missing", OpenMode::kRead).error().kind == ErrorKind::kNotFound);
  CHECK_FALSE(must_open(fs, "/f", OpenMode::kRead)->write_at(0, bytes_of("y")));
}

TEST_CASE("MemFs lists, renames and removes", "[mem_fs]") {
  MemFs fs;
  REQUIRE(fs.make_dir("/a"));
  CHECK(fs.make_dir("/a").error().os_error == EEXIST);
  must_open(fs, "/a/2", OpenMode::kCreate);
  must_open(fs, "/a/1", OpenMode::kCreate);
  CHECK(*fs.list("/a") == std::vector<DirEntry>{{"1", false}, {"2", false}});
  CHECK(*fs.list("/") == std::vector<DirEntry>{{"a", true}});
  REQUIRE(fs.rename("/a/1", "/a/2"));
  CHECK(*fs.list("/a") == std::vector<DirEntry>{{"2", false}});
  CHECK(fs.remove_dir("/a").error().os_error == ENOTEMPTY);
  REQUIRE(fs.remove("/a/2"));
  REQUIRE(fs.remove_dir("/a"));
  CHECK(fs.list("/a").error().kind == ErrorKind::kNotFound);
}

TEST_CASE("A power loss keeps what was synced", "[mem_fs]") {
  const auto all = outcomes(
      [](MemFs& fs) {
        auto file = must_open(fs, "/f", OpenMode::kCreate);
        REQUIRE(file->write_at(0, bytes_of(std::string(2000, 'a'))));
        REQUIRE(file->sync_data());
        REQUIRE(fs.sync_dir("/"));
      },
      [](MemFs& fs) { return fs.contents("/f"); });
  CHECK(all == std::set<std::string>{std::string(2000, 'a')});
}

TEST_CASE("A power loss may lose the name of a synced file whose folder was not synced", "[mem_fs]") {
  const auto all = outcomes(
      [](MemFs& fs) {
        auto file = must_open(fs, "/f", OpenMode::kCreate);
        REQUIRE(file->sync());
      },
      [](MemFs& fs) { return exists(fs, "/f"); });
  CHECK(all == std::set<bool>{false, true});
}

TEST_CASE("A power loss keeps any of the unsynced blocks and sizes", "[mem_fs]") {
  // Two blocks: synced 'a', then 'b', then 'c' written over both; and the size grows by one block of 'd'.
  const auto all = outcomes(
      [](MemFs& fs) {
        auto file = must_open(fs, "/f", OpenMode::kCreate);
        REQUIRE(file->write_at(0, bytes_of(std::string(1024, 'a'))));
        REQUIRE(file->sync());
        REQUIRE(fs.sync_dir("/"));
        REQUIRE(file->write_at(0, bytes_of(std::string(1024, 'b'))));
        REQUIRE(file->write_at(0, bytes_of(std::string(1024, 'c'))));
        REQUIRE(file->write_at(1024, bytes_of(std::string(512, 'd'))));
      },
      [](MemFs& fs) {
        const std::string text = fs.contents("/f");
        REQUIRE((text.size() == 1024 || text.size() == 1536));
        std::string letters;
        for (std::size_t at = 0; at < text.size(); at += 512) {
          REQUIRE(text.substr(at, 512) == std::string(512, text[at]));  // a block is never torn
          letters += text[at] == '\0' ? '0' : text[at];
        }
        return letters;
      });
  for (const char* expected : {"aa", "cc", "ccd", "ba", "ab", "bc", "cc0", "aad", "aa0"}) {
    INFO(expected);
    CHECK(all.contains(expected));
  }
}

TEST_CASE("A power loss keeps any of the unsynced changes of a folder, a rename as a whole", "[mem_fs]") {
  const auto all = outcomes(
      [](MemFs& fs) {
        REQUIRE(must_open(fs, "/old", OpenMode::kCreate)->sync());
        REQUIRE(must_open(fs, "/gone", OpenMode::kCreate)->sync());
        REQUIRE(fs.sync_dir("/"));
        REQUIRE(fs.rename("/old", "/new"));
        REQUIRE(fs.remove("/gone"));
      },
      [](MemFs& fs) {
        std::string names;
        const auto entries = fs.list("/");
        REQUIRE(entries);
        for (const DirEntry& entry : *entries) names += entry.name + " ";
        return names;
      });
  CHECK(all == std::set<std::string>{"gone old ", "old ", "gone new ", "new "});
}

TEST_CASE("The same seed gives the same outcome", "[mem_fs]") {
  const auto run = [](unsigned seed) {
    MemFs fs;
    auto file = must_open(fs, "/f", OpenMode::kCreate);
    REQUIRE(fs.sync_dir("/"));
    for (int i = 0; i < 50; ++i)
      REQUIRE(file->write_at(std::uint64_t(i) * 100, bytes_of(std::string(130, char('a' + i % 26)))));
    std::mt19937_64 random(seed);
    fs.crash(random);
    return fs.contents("/f");
  };
  for (unsigned seed = 0; seed < 20; ++seed) CHECK(run(seed) == run(seed));
}

TEST_CASE("A kill keeps everything that was written; old handles and locks are dead", "[mem_fs]") {
  MemFs fs;
  auto lock = fs.lock_file("/.lock");
  REQUIRE(lock);
  CHECK(fs.lock_file("/.lock").error().os_error == EWOULDBLOCK);
  auto file = must_open(fs, "/f", OpenMode::kCreate);
  REQUIRE(file->write_at(0, bytes_of("abc")));
  fs.kill();
  CHECK(fs.contents("/f") == "abc");
  CHECK(file->write_at(0, bytes_of("x")).error().os_error == EBADF);
  CHECK(file->sync().error().os_error == EBADF);
  std::array<std::byte, 1> out{};
  CHECK(file->read_at(0, out).error().os_error == EBADF);
  auto second = fs.lock_file("/.lock");
  REQUIRE(second);
  lock->reset();  // the dead process's lock: gives nothing back
  CHECK_FALSE(fs.lock_file("/.lock"));
}

TEST_CASE("After a failed sync the bytes are lost although reads see them and later syncs succeed", "[mem_fs]") {
  const auto all = outcomes(
      [](MemFs& fs) {
        auto file = must_open(fs, "/f", OpenMode::kCreate);
        REQUIRE(fs.sync_dir("/"));
        REQUIRE(file->write_at(0, bytes_of(std::string(512, 'a'))));
        fs.fail(MemFs::Op::kSync, 1, EIO);
        REQUIRE(file->sync().error().os_error == EIO);
        REQUIRE(fs.contents("/f") == std::string(512, 'a'));
        REQUIRE(file->write_at(512, bytes_of(std::string(512, 'b'))));
        REQUIRE(file->sync());
      },
      [](MemFs& fs) {
        const std::string text = fs.contents("/f");
        REQUIRE(text.size() == 1024);
        REQUIRE(text.substr(512) == std::string(512, 'b'));
        return text[0];
      });
  CHECK(all == std::set<char>{'\0', 'a'});
}

TEST_CASE("Faults strike at the nth operation, with a part written", "[mem_fs]") {
  MemFs fs;
  auto file = must_open(fs, "/f", OpenMode::kCreate);
  fs.fail(MemFs::Op::kWrite, 2, EIO);
  REQUIRE(file->write_at(0, bytes_of("abcd")));
  CHECK(file->write_at(4, bytes_of("efgh")).error().os_error == EIO);
  CHECK(fs.contents("/f") == "abcdef");
  REQUIRE(file->write_at(4, bytes_of("efgh")));
  fs.fail(MemFs::Op::kOpen, 1, EMFILE, true);
  CHECK(fs.open("/f", OpenMode::kRead).error().os_error == EMFILE);
  CHECK(fs.open("/f", OpenMode::kRead).error().os_error == EMFILE);
  fs.clear_faults();
  CHECK(fs.open("/f", OpenMode::kRead));
}

TEST_CASE("A full disk takes what fits; truncating and removing frees it", "[mem_fs]") {
  MemFs fs;
  auto file = must_open(fs, "/f", OpenMode::kCreate);
  fs.set_free_bytes(6);
  REQUIRE(file->write_at(0, bytes_of("abcd")));
  CHECK(file->write_at(2, bytes_of("CDEFGH")).error().os_error == ENOSPC);
  CHECK(fs.contents("/f") == "abCDEF");
  CHECK(fs.space("/")->free_bytes == 0u);
  REQUIRE(file->truncate(1));
  CHECK(fs.space("/")->free_bytes == 5u);
  REQUIRE(fs.remove("/f"));
  CHECK(fs.space("/")->free_bytes == 6u);
}

TEST_CASE("A stopped machine does nothing more until it is started again", "[mem_fs]") {
  MemFs fs;
  auto file = must_open(fs, "/f", OpenMode::kCreate);
  const std::uint64_t before = fs.operations();
  fs.stop_after(1);
  REQUIRE(file->write_at(0, bytes_of("a")));
  CHECK_FALSE(file->write_at(1, bytes_of("b")));
  CHECK(fs.stopped());
  CHECK_FALSE(file->size());
  CHECK_FALSE(fs.list("/"));
  CHECK(fs.operations() == before + 1);
  fs.kill();
  CHECK_FALSE(fs.stopped());
  CHECK(fs.contents("/f") == "a");
}

}  // namespace
}  // namespace cohort::storage
