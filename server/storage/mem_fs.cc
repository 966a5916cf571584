#include "server/storage/mem_fs.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "protocol/base/check.h"

namespace cohort::storage {
namespace {

using Block = std::array<std::byte, MemFs::kBlockBytes>;

// What one crash does to one file or folder. Pure chance rarely gives the extremes, and the extremes are what happens.
enum class Fate : std::uint8_t { kAllLost, kAllKept, kPrefix, kAny };

std::size_t below(std::mt19937_64& random, std::size_t bound) {
  return random() % bound;
}  // the same on every library

Fate pick_fate(std::mt19937_64& random) {
  return static_cast<Fate>(below(random, 4));
}

std::unexpected<Error> failure(std::string_view what, std::string_view path, int os_error) {
  const ErrorKind kind = os_error == ENOENT ? ErrorKind::kNotFound : ErrorKind::kIo;
  return fail(kind, fmt::format("Cannot {} {}: {}", what, path, std::generic_category().message(os_error)), os_error);
}

}  // namespace

// A file or a folder. `disk` is what a power loss cannot take; the versions are what it chooses from.
struct MemFs::Inode {
  using Ptr = std::shared_ptr<Inode>;
  struct DirChange {
    std::string erased;  // empty: nothing
    std::string set;     // empty: nothing
    Ptr target;
  };

  bool is_dir = false;

  // File.
  std::vector<std::byte> cache;
  std::vector<std::byte> disk;
  std::vector<std::uint64_t> sizes;                      // since the last sync that worked
  std::map<std::uint64_t, std::vector<Block>> versions;  // by block number: contents since the last sync that worked
  std::set<std::uint64_t> dirty;                         // blocks that the next sync will write

  // Folder.
  std::map<std::string, Ptr> entries;
  std::map<std::string, Ptr> disk_entries;
  std::vector<DirChange> changes;

  Block block_of_cache(std::uint64_t number) const {
    Block block{};
    const std::uint64_t begin = number * kBlockBytes;
    if (begin < cache.size()) {
      std::memcpy(block.data(), cache.data() + begin, std::min<std::uint64_t>(kBlockBytes, cache.size() - begin));
    }
    return block;
  }
  void touch(std::uint64_t begin, std::uint64_t end) {
    for (std::uint64_t number = begin / kBlockBytes; number * kBlockBytes < end; ++number) {
      versions[number].push_back(block_of_cache(number));
      dirty.insert(number);
    }
    sizes.push_back(cache.size());
  }
  static void put(std::vector<std::byte>& bytes, std::uint64_t number, const Block& block) {
    const std::uint64_t begin = number * kBlockBytes;
    if (begin >= bytes.size()) return;
    std::memcpy(bytes.data() + begin, block.data(), std::min<std::uint64_t>(kBlockBytes, bytes.size() - begin));
  }
  void flush() {
    disk.resize(cache.size());
    for (const std::uint64_t number : dirty) {
      put(disk, number, block_of_cache(number));
      versions.erase(number);
    }
    dirty.clear();
    sizes.clear();
  }
  void crash(std::mt19937_64& random);
};

void MemFs::Inode::crash(std::mt19937_64& random) {
  const Fate fate = pick_fate(random);
  if (is_dir) {
    const std::size_t prefix = below(random, changes.size() + 1);
    for (std::size_t i = 0; i < changes.size(); ++i) {
      const bool kept = fate == Fate::kAllKept || (fate == Fate::kPrefix && i < prefix) ||
                        (fate == Fate::kAny && below(random, 2) == 0);
      if (!kept) continue;
      if (!changes[i].erased.empty()) disk_entries.erase(changes[i].erased);
      if (!changes[i].set.empty()) disk_entries[changes[i].set] = changes[i].target;
    }
    changes.clear();
    entries = disk_entries;
    return;
  }
  // A version is chosen out of 0 (on the disk already) to n (the last). kPrefix: about the same age for all blocks.
  const std::size_t age = below(random, 1024);
  const auto pick = [&](std::size_t n) -> std::size_t {
    switch (fate) {
      case Fate::kAllLost:
        return 0;
      case Fate::kAllKept:
        return n;
      case Fate::kPrefix:
        return n * age / 1023;
      case Fate::kAny:
        return below(random, n + 1);
    }
    std::unreachable();
  };
  const std::size_t size = pick(sizes.size());
  if (size > 0) disk.resize(sizes[size - 1]);
  for (const auto& [number, contents] : versions) {
    const std::size_t version = pick(contents.size());
    if (version > 0) put(disk, number, contents[version - 1]);
  }
  cache = disk;
  sizes.clear();
  versions.clear();
  dirty.clear();
}

struct MemFs::State {
  struct Fault {
    std::uint64_t countdown = 0;
    int os_error = 0;
    bool repeat = false;
  };

  std::mutex mutex;
  Inode::Ptr root = std::make_shared<Inode>();
  std::uint64_t generation = 0;
  std::uint64_t operations = 0;
  std::optional<std::uint64_t> operations_left;
  bool stopped = false;
  std::map<Op, Fault> faults;
  std::optional<std::uint64_t> free_bytes;
  std::set<std::string> locks;

  State() { root->is_dir = true; }

  Inode::Ptr find(std::string_view path) const {
    Inode::Ptr at = root;
    while (at != nullptr && !path.empty()) {
      const std::size_t slash = path.find('/');
      const std::string_view part = path.substr(0, slash);
      path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
      if (part.empty()) continue;
      const auto entry = at->entries.find(std::string(part));
      at = entry == at->entries.end() ? nullptr : entry->second;
    }
    return at;
  }
  // The folder that the path's last part is in, and that part.
  std::pair<Inode::Ptr, std::string> find_parent(std::string_view path) const {
    const std::size_t slash = path.rfind('/');
    const std::string_view dir = slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
    Inode::Ptr parent = find(dir);
    if (parent != nullptr && !parent->is_dir) parent = nullptr;
    return {std::move(parent), std::string(slash == std::string_view::npos ? path : path.substr(slash + 1))};
  }

  // Counts an operation that changes the disk; false once the machine has stopped.
  bool step() {
    if (!stopped && operations_left.has_value()) {
      if (*operations_left == 0)
        stopped = true;
      else
        --*operations_left;
    }
    if (stopped) return false;
    ++operations;
    return true;
  }
  // The error to give instead of doing `op`, or 0.
  int strike(Op op) {
    const auto fault = faults.find(op);
    if (fault == faults.end()) return 0;
    if (fault->second.countdown > 1) {
      --fault->second.countdown;
      return 0;
    }
    const int os_error = fault->second.os_error;
    if (!fault->second.repeat) faults.erase(fault);
    return os_error;
  }
  int begin(Op op) { return step() ? strike(op) : EIO; }

  static void change(Inode& dir, std::string erased, std::string set, Inode::Ptr target) {
    if (!erased.empty()) dir.entries.erase(erased);
    if (!set.empty()) dir.entries[set] = target;
    dir.changes.push_back({std::move(erased), std::move(set), std::move(target)});
  }

  void crash_below(Inode& inode, std::mt19937_64& random) {
    inode.crash(random);
    for (const auto& [name, child] : inode.entries) crash_below(*child, random);
  }
  void restart() {
    ++generation;
    locks.clear();
    stopped = false;
    operations_left.reset();
  }
};

class MemFs::MemFile final : public File {
 public:
  MemFile(State& state, Inode::Ptr inode, std::string path, bool writable)
      : state_(state),
        inode_(std::move(inode)),
        path_(std::move(path)),
        writable_(writable),
        generation_(state.generation) {}

  Result<std::size_t> read_at(std::uint64_t position, std::span<std::byte> out) const override {
    const std::lock_guard lock(state_.mutex);
    if (!alive()) return failure("read", path_, EBADF);
    if (position >= inode_->cache.size()) return std::size_t{0};
    const std::size_t count = std::min<std::size_t>(out.size(), inode_->cache.size() - position);
    if (count > 0) std::memcpy(out.data(), inode_->cache.data() + position, count);
    return count;
  }

  Result<void> write_at(std::uint64_t position, std::span<const std::byte> bytes) override {
    const std::lock_guard lock(state_.mutex);
    if (!alive() || !writable_) return failure("write", path_, EBADF);
    if (bytes.empty()) return {};
    int os_error = state_.begin(Op::kWrite);
    if (state_.stopped) return failure("write", path_, EIO);
    std::size_t count = os_error == 0 ? bytes.size() : bytes.size() / 2;
    if (state_.free_bytes.has_value()) {
      const std::uint64_t room = (position < inode_->cache.size() ? inode_->cache.size() - position : 0);
      const std::uint64_t fits = room + *state_.free_bytes;
      if (count > fits) {
        count = static_cast<std::size_t>(fits);
        os_error = ENOSPC;
      }
      if (count > room) *state_.free_bytes -= count - room;
    }
    if (count > 0) {
      const std::uint64_t old_size = inode_->cache.size();
      if (position + count > old_size) inode_->cache.resize(position + count);
      std::memcpy(inode_->cache.data() + position, bytes.data(), count);
      inode_->touch(std::min(position, old_size), position + count);
    }
    if (os_error != 0) return failure("write", path_, os_error);
    return {};
  }

  Result<std::uint64_t> size() const override {
    const std::lock_guard lock(state_.mutex);
    if (!alive()) return failure("stat", path_, EBADF);
    return inode_->cache.size();
  }

  Result<void> truncate(std::uint64_t size) override {
    const std::lock_guard lock(state_.mutex);
    if (!alive() || !writable_) return failure("truncate", path_, EBADF);
    if (const int os_error = state_.begin(Op::kTruncate); os_error != 0) return failure("truncate", path_, os_error);
    const std::uint64_t old_size = inode_->cache.size();
    if (state_.free_bytes.has_value() && size < old_size) *state_.free_bytes += old_size - size;
    inode_->cache.resize(size);
    inode_->touch(std::min(size, old_size), std::max(size, old_size));
    return {};
  }

  Result<void> sync_data() override { return sync(); }

  Result<void> sync() override {
    const std::lock_guard lock(state_.mutex);
    if (!alive()) return failure("sync", path_, EBADF);
    const int os_error = state_.begin(Op::kSync);
    if (state_.stopped) return failure("sync", path_, EIO);
    if (os_error != 0) {
      inode_->dirty.clear();  // the kernel marks the pages clean and forgets: only the versions remember
      return failure("sync", path_, os_error);
    }
    inode_->flush();
    return {};
  }

 private:
  bool alive() const { return generation_ == state_.generation && !state_.stopped; }

  State& state_;
  Inode::Ptr inode_;
  std::string path_;
  bool writable_;
  std::uint64_t generation_;
};

class MemFs::MemLock final : public FileLock {
 public:
  MemLock(State& state, std::string path) : state_(state), path_(std::move(path)), generation_(state.generation) {}
  ~MemLock() override {
    const std::lock_guard lock(state_.mutex);
    if (generation_ == state_.generation) state_.locks.erase(path_);
  }

 private:
  State& state_;
  std::string path_;
  std::uint64_t generation_;
};

MemFs::MemFs() : state_(std::make_unique<State>()) {}
MemFs::~MemFs() = default;

Result<std::unique_ptr<File>> MemFs::open(const std::string& path, OpenMode mode) {
  const std::lock_guard lock(state_->mutex);
  const std::string_view what = mode == OpenMode::kCreate ? "create" : "open";
  if (state_->stopped) return failure(what, path, EIO);
  const auto [parent, name] = state_->find_parent(path);
  if (parent == nullptr) return failure(what, path, ENOENT);
  if (mode == OpenMode::kCreate && !state_->step()) return failure(what, path, EIO);
  if (const int os_error = state_->strike(Op::kOpen); os_error != 0) return failure(what, path, os_error);
  Inode::Ptr inode = state_->find(path);
  if (inode != nullptr && inode->is_dir) return failure(what, path, EISDIR);
  if (inode == nullptr && mode != OpenMode::kCreate) return failure(what, path, ENOENT);
  if (inode == nullptr) {
    inode = std::make_shared<Inode>();
    State::change(*parent, "", name, inode);
  } else if (mode == OpenMode::kCreate && !inode->cache.empty()) {
    const std::uint64_t old_size = inode->cache.size();
    inode->cache.clear();
    inode->touch(0, old_size);
  }
  return std::make_unique<MemFile>(*state_, std::move(inode), path, mode != OpenMode::kRead);
}

Result<std::vector<DirEntry>> MemFs::list(const std::string& dir) {
  const std::lock_guard lock(state_->mutex);
  if (state_->stopped) return failure("list", dir, EIO);
  const Inode::Ptr inode = state_->find(dir);
  if (inode == nullptr) return failure("list", dir, ENOENT);
  if (!inode->is_dir) return failure("list", dir, ENOTDIR);
  std::vector<DirEntry> entries;
  for (const auto& [name, child] : inode->entries) entries.push_back({name, child->is_dir});
  return entries;
}

Result<void> MemFs::rename(const std::string& from, const std::string& to) {
  const std::lock_guard lock(state_->mutex);
  if (const int os_error = state_->begin(Op::kRename); os_error != 0) return failure("rename", from, os_error);
  const auto [parent, from_name] = state_->find_parent(from);
  const auto [to_parent, to_name] = state_->find_parent(to);
  const Inode::Ptr inode = state_->find(from);
  if (inode == nullptr || to_parent == nullptr) return failure("rename", from, ENOENT);
  if (parent != to_parent) return failure("rename", from, EXDEV);  // storage never moves between folders
  const Inode::Ptr target = state_->find(to);
  if (target != nullptr && target->is_dir && (!inode->is_dir || !target->entries.empty())) {
    return failure("rename", from, inode->is_dir ? ENOTEMPTY : EISDIR);
  }
  State::change(*parent, from_name, to_name, inode);
  if (const int os_error = state_->strike(Op::kAfterRename); os_error != 0) return failure("rename", from, os_error);
  return {};
}

Result<void> MemFs::remove(const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  if (const int os_error = state_->begin(Op::kRemove); os_error != 0) return failure("remove", path, os_error);
  const auto [parent, name] = state_->find_parent(path);
  const Inode::Ptr inode = state_->find(path);
  if (inode == nullptr) return failure("remove", path, ENOENT);
  if (inode->is_dir) return failure("remove", path, EISDIR);
  if (state_->free_bytes.has_value()) *state_->free_bytes += inode->cache.size();
  State::change(*parent, name, "", nullptr);
  return {};
}

Result<void> MemFs::make_dir(const std::string& dir) {
  const std::lock_guard lock(state_->mutex);
  if (!state_->step()) return failure("make folder", dir, EIO);
  const auto [parent, name] = state_->find_parent(dir);
  if (parent == nullptr) return failure("make folder", dir, ENOENT);
  if (name.empty() || parent->entries.contains(name)) return failure("make folder", dir, EEXIST);
  auto inode = std::make_shared<Inode>();
  inode->is_dir = true;
  State::change(*parent, "", name, std::move(inode));
  return {};
}

Result<void> MemFs::remove_dir(const std::string& dir) {
  const std::lock_guard lock(state_->mutex);
  if (const int os_error = state_->begin(Op::kRemove); os_error != 0) return failure("remove folder", dir, os_error);
  const auto [parent, name] = state_->find_parent(dir);
  const Inode::Ptr inode = state_->find(dir);
  if (inode == nullptr) return failure("remove folder", dir, ENOENT);
  if (!inode->is_dir) return failure("remove folder", dir, ENOTDIR);
  if (!inode->entries.empty()) return failure("remove folder", dir, ENOTEMPTY);
  State::change(*parent, name, "", nullptr);
  return {};
}

Result<void> MemFs::sync_dir(const std::string& dir) {
  const std::lock_guard lock(state_->mutex);
  if (const int os_error = state_->begin(Op::kSyncDir); os_error != 0) return failure("sync folder", dir, os_error);
  const Inode::Ptr inode = state_->find(dir);
  if (inode == nullptr) return failure("sync folder", dir, ENOENT);
  inode->disk_entries = inode->entries;
  inode->changes.clear();
  return {};
}

Result<std::unique_ptr<FileLock>> MemFs::lock_file(const std::string& path) {
  auto file = open(path, OpenMode::kCreate);
  if (!file) return std::unexpected(std::move(file.error()));
  const std::lock_guard lock(state_->mutex);
  if (!state_->locks.insert(path).second) return failure("lock", path, EWOULDBLOCK);
  return std::make_unique<MemLock>(*state_, path);
}

Result<Space> MemFs::space(const std::string& dir) {
  const std::lock_guard lock(state_->mutex);
  if (const int os_error = state_->strike(Op::kSpace); os_error != 0) return failure("look at", dir, os_error);
  constexpr std::uint64_t kTotal = std::uint64_t{1} << 40;
  return Space{.total_bytes = kTotal, .free_bytes = state_->free_bytes.value_or(kTotal)};
}

void MemFs::crash(std::mt19937_64& random) {
  const std::lock_guard lock(state_->mutex);
  state_->crash_below(*state_->root, random);
  state_->restart();
}

void MemFs::kill() {
  const std::lock_guard lock(state_->mutex);
  state_->restart();
}

void MemFs::stop_after(std::uint64_t operations) {
  const std::lock_guard lock(state_->mutex);
  state_->operations_left = operations;
}

bool MemFs::stopped() const {
  const std::lock_guard lock(state_->mutex);
  return state_->stopped;
}

std::uint64_t MemFs::operations() const {
  const std::lock_guard lock(state_->mutex);
  return state_->operations;
}

void MemFs::fail(Op op, std::uint64_t nth, int os_error, bool repeat) {
  const std::lock_guard lock(state_->mutex);
  state_->faults[op] = {nth, os_error, repeat};
}

void MemFs::set_free_bytes(std::optional<std::uint64_t> bytes) {
  const std::lock_guard lock(state_->mutex);
  state_->free_bytes = bytes;
}

void MemFs::clear_faults() {
  const std::lock_guard lock(state_->mutex);
  state_->faults.clear();
  state_->free_bytes.reset();
  state_->operations_left.reset();
}

std::string MemFs::contents(const std::string& path) const {
  const std::lock_guard lock(state_->mutex);
  const Inode::Ptr inode = state_->find(path);
  CHECK(inode != nullptr && !inode->is_dir, path);
  return {reinterpret_cast<const char*>(inode->cache.data()), inode->cache.size()};
}

void MemFs::overwrite(const std::string& path, std::string_view bytes) {
  const std::lock_guard lock(state_->mutex);
  const auto [parent, name] = state_->find_parent(path);
  CHECK(parent != nullptr, path);
  auto& entry = parent->entries[name];
  if (entry == nullptr) entry = std::make_shared<Inode>();
  parent->disk_entries[name] = entry;
  const auto data = std::as_bytes(std::span(bytes));
  entry->cache.assign(data.begin(), data.end());
  entry->disk = entry->cache;
  entry->sizes.clear();
  entry->versions.clear();
  entry->dirty.clear();
}

}  // namespace cohort::storage
