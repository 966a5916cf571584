#include "server/storage/log_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <utility>

#include "protocol/base/check.h"
#include "protocol/base/log.h"

namespace cohort::storage {
namespace {

constexpr std::string_view kLockName = ".lock";
constexpr std::string_view kMetaName = "meta.properties";
constexpr std::string_view kNewSuffix = ".new";
constexpr std::string_view kDeletedSuffix = ".deleted";
constexpr std::size_t kMaxMetaBytes = 64 * 1024;
constexpr std::size_t kMaxTopicName = 249;  // Kafka: Topic.MAX_NAME_LENGTH

// Names become paths, so Kafka's rule (Topic.validate) is checked here, too.
bool is_legal_topic(std::string_view name) {
  if (name.empty() || name.size() > kMaxTopicName || name == "." || name == "..") return false;
  return std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
  });
}

std::string folder_name(const protocol::TopicName& topic, std::int32_t partition) {
  return fmt::format("{}-{}", topic.value(), partition);
}

// Folders on their way in or out are named by id, not by topic: never in the way of a later topic, never too long.
std::string passing_name(const LogId& id, std::string_view suffix) {
  return fmt::format("{}-{}{}", id.topic_id.value(), id.partition, suffix);
}

struct FolderName {
  std::string topic;
  std::int32_t partition = 0;
};

std::optional<FolderName> parse_folder_name(std::string_view name) {
  const std::size_t dash = name.rfind('-');
  if (dash == std::string_view::npos || !is_legal_topic(name.substr(0, dash))) return std::nullopt;
  FolderName folder{std::string(name.substr(0, dash)), 0};
  const std::string_view digits = name.substr(dash + 1);
  const auto [last, error] = std::from_chars(digits.data(), digits.data() + digits.size(), folder.partition);
  if (error != std::errc() || last != digits.data() + digits.size() || folder.partition < 0) return std::nullopt;
  if (name != fmt::format("{}-{}", folder.topic, folder.partition)) return std::nullopt;  // leading zeros
  return folder;
}

// The value of a line `key<separator>value`, without spaces around it.
std::optional<std::string_view> find_value(std::string_view text, std::string_view key, char separator) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!line.starts_with(key) || line.size() <= key.size() || line[key.size()] != separator) continue;
    line.remove_prefix(key.size() + 1);
    while (!line.empty() && (line.back() == ' ' || line.back() == '\r')) line.remove_suffix(1);
    while (!line.empty() && line.front() == ' ') line.remove_prefix(1);
    return line;
  }
  return std::nullopt;
}

// Kafka's partition.metadata (PartitionMetadataFile).
std::string partition_metadata(const protocol::TopicId& topic_id) {
  return fmt::format("version: 0\ntopic_id: {}", topic_id.value());
}

Result<protocol::TopicId> read_topic_id(Fs& fs, const std::string& dir) {
  const std::string path = fmt::format("{}/{}", dir, kPartitionMetadataName);
  const auto text = read_whole_file(fs, path, kMaxMetaBytes);
  if (!text && text.error().kind == ErrorKind::kIo) return std::unexpected(text.error());
  if (!text) return fail(ErrorKind::kCorrupt, fmt::format("{} cannot be used: {}", path, text.error().message));
  const auto version = find_value(*text, "version", ':');
  const auto id = find_value(*text, "topic_id", ':');
  const auto parsed = id ? protocol::Uuid::parse(*id) : std::nullopt;
  if (version != "0" || !parsed) {
    return fail(ErrorKind::kCorrupt, fmt::format("{} is damaged: expected version: 0 and a topic_id", path));
  }
  return protocol::TopicId(*parsed);
}

}  // namespace

LogSet::LogSet(Fs& fs, LogSetOptions options) : fs_(fs), options_(std::move(options)), cache_(options_.open_segments) {}

LogSet::~LogSet() = default;

std::string LogSet::path_of(std::string_view name) const {
  return fmt::format("{}/{}", options_.dir, name);
}

Result<std::unique_ptr<LogSet>> LogSet::open(Fs& fs, LogSetOptions options) {
  std::unique_ptr<LogSet> set(new LogSet(fs, std::move(options)));
  if (auto done = set->take_folder(); !done) return std::unexpected(std::move(done.error()));
  if (auto done = set->load_meta(); !done) return std::unexpected(std::move(done.error()));
  if (auto done = set->scan(); !done) return std::unexpected(std::move(done.error()));
  return set;
}

// 1. The folder, and nobody else in it.
Result<void> LogSet::take_folder() {
  const std::string& dir = options_.dir;
  const auto made = fs_.make_dir(dir);
  if (!made && made.error().os_error != EEXIST) return made;
  if (made) {
    const std::size_t slash = dir.find_last_of('/');
    const std::string parent = slash == std::string::npos ? "." : slash == 0 ? "/" : dir.substr(0, slash);
    if (auto synced = fs_.sync_dir(parent); !synced) return synced;
  }
  auto lock = fs_.lock_file(path_of(kLockName));
  if (!lock && lock.error().os_error == EWOULDBLOCK) {
    return fail(ErrorKind::kIo, fmt::format("Data folder {} is in use by another process", dir), EWOULDBLOCK);
  }
  if (!lock) return std::unexpected(std::move(lock.error()));
  lock_ = std::move(*lock);
  return {};
}

Result<void> LogSet::holds_no_log() const {
  const auto entries = fs_.list(options_.dir);
  if (!entries) return std::unexpected(entries.error());
  for (const DirEntry& entry : *entries) {
    if (!entry.is_dir || !parse_folder_name(entry.name)) continue;
    return fail(ErrorKind::kCorrupt, fmt::format("{} is missing, but {} is there: nothing was changed",
                                                 path_of(kMetaName), path_of(entry.name)));
  }
  return {};
}

// 2. Whose folder it is (Kafka: meta.properties).
Result<void> LogSet::load_meta() {
  const std::string path = path_of(kMetaName);
  const auto text = read_whole_file(fs_, path, kMaxMetaBytes);
  if (!text && text.error().kind == ErrorKind::kNotFound) {
    // It is the first file of a new folder, so logs without it are a folder that lost it.
    if (auto empty = holds_no_log(); !empty) return empty;
    CHECK(!options_.new_cluster_id.empty());
    cluster_id_ = options_.new_cluster_id;
    return replace_file(fs_, options_.dir, kMetaName,
                        fmt::format("version=1\ncluster.id={}\nnode.id={}\n", cluster_id_, options_.node_id));
  }
  if (!text) return std::unexpected(text.error());
  const auto version = find_value(*text, "version", '=');
  const auto cluster_id = find_value(*text, "cluster.id", '=');
  const auto node_id = find_value(*text, "node.id", '=');
  if (version != "1" || !cluster_id || cluster_id->empty() || !node_id) {
    return fail(ErrorKind::kCorrupt, fmt::format("{} is damaged: expected version=1, cluster.id and node.id", path));
  }
  if (*node_id != std::to_string(options_.node_id)) {
    return fail(ErrorKind::kInvalid, fmt::format("Data folder {} belongs to node.id={}, but node.id={} is configured",
                                                 options_.dir, *node_id, options_.node_id));
  }
  cluster_id_ = *cluster_id;
  return {};
}

// 3. What is in it. The sync makes durable what a process that died before us had renamed.
Result<void> LogSet::scan() {
  if (auto synced = fs_.sync_dir(options_.dir); !synced) return synced;
  const auto entries = fs_.list(options_.dir);
  if (!entries) return std::unexpected(entries.error());
  bool has_removed = false;
  for (const DirEntry& entry : *entries) {
    if (entry.is_dir && (entry.name.ends_with(kNewSuffix) || entry.name.ends_with(kDeletedSuffix))) {
      if (auto deleted = delete_folder(entry.name); !deleted) return deleted;
      has_removed = true;
      continue;
    }
    const auto folder = entry.is_dir ? parse_folder_name(entry.name) : std::nullopt;
    if (!folder) {
      const bool is_ours = entry.name == kLockName || entry.name == kMetaName;
      if (!is_ours) log::warn("LogSet", "{} is not ours and is left alone", path_of(entry.name));
      continue;
    }
    auto topic_id = read_topic_id(fs_, path_of(entry.name));
    if (!topic_id) return std::unexpected(std::move(topic_id.error()));
    LogId id{protocol::TopicName(folder->topic), *topic_id, folder->partition};
    logs_.emplace(entry.name, Entry{.id = std::move(id), .log = nullptr});
  }
  if (has_removed) return fs_.sync_dir(options_.dir);
  return {};
}

std::vector<LogId> LogSet::stored() const {
  const std::lock_guard lock(mutex_);
  std::vector<LogId> ids;
  ids.reserve(logs_.size());
  for (const auto& [name, entry] : logs_) ids.push_back(entry.id);
  return ids;
}

bool LogSet::is_stored(const LogId& id) const {
  const std::lock_guard lock(mutex_);
  const auto entry = logs_.find(folder_name(id.topic, id.partition));
  return entry != logs_.end() && entry->second.id == id;
}

Result<std::shared_ptr<Log>> LogSet::open_or_create(const LogId& id, LogOptions options) {
  if (!is_legal_topic(id.topic.value()) || id.partition < 0 || id.topic_id.value().is_zero()) {
    return fail(ErrorKind::kInvalid, fmt::format("No log can have topic name '{}', topic id {} and partition {}",
                                                 id.topic, id.topic_id, id.partition));
  }
  options.identity = fmt::format("{}-{}", id.topic_id.value(), id.partition);
  const std::string name = folder_name(id.topic, id.partition);
  if (auto ended = end_removal(name, id); !ended) return std::unexpected(std::move(ended.error()));
  bool is_stored = false;
  bool is_on_disk = false;
  {
    const std::lock_guard lock(mutex_);
    if (const auto entry = logs_.find(name); entry != logs_.end()) {
      if (entry->second.id != id) {
        return fail(ErrorKind::kCorrupt, fmt::format("{} belongs to topic id {}, expected {}", path_of(name),
                                                     entry->second.id.topic_id, id.topic_id));
      }
      if (entry->second.log != nullptr) return entry->second.log;
      is_stored = true;
      is_on_disk = entry->second.is_on_disk;
    }
  }
  if (!is_stored) {
    if (auto created = create(id, options); !created) return std::unexpected(std::move(created.error()));
  }
  if (!is_on_disk) {
    if (auto synced = fs_.sync_dir(options_.dir); !synced) return std::unexpected(std::move(synced.error()));
  }
  auto log = Log::open(fs_, cache_, path_of(name), options);
  if (!log) return log;
  const std::lock_guard lock(mutex_);
  logs_[name] = Entry{.id = id, .log = *log};
  return log;
}

// Of a former log of this name.
Result<void> LogSet::end_removal(const std::string& name, const LogId& id) {
  std::optional<LogId> leaving;
  {
    const std::lock_guard lock(mutex_);
    const auto entry = logs_.find(name);
    if (entry != logs_.end() && entry->second.is_leaving && entry->second.id != id) leaving = entry->second.id;
  }
  return leaving ? remove(*leaving) : Result<void>{};
}

// Under another name until it is whole and on the disk; that its own name is on the disk is for the caller to see to.
Result<void> LogSet::create(const LogId& id, const LogOptions& options) {
  const std::string making = passing_name(id, kNewSuffix);
  const std::string dir = path_of(making);
  auto made = fs_.make_dir(dir);
  if (!made && made.error().os_error == EEXIST) {  // an attempt before this one failed half-way
    if (auto deleted = delete_folder(making); !deleted) return deleted;
    made = fs_.make_dir(dir);
  }
  if (!made) return made;
  auto written = replace_file(fs_, dir, kPartitionMetadataName, partition_metadata(id.topic_id));
  if (written) written = Log::create_files(fs_, dir, options, 0);
  const std::string name = folder_name(id.topic, id.partition);
  if (written) written = fs_.rename(dir, path_of(name));
  if (!written) {
    if (auto deleted = delete_folder(making); !deleted) log::warn("LogSet", "{}", deleted.error().message);
    return written;
  }
  {
    const std::lock_guard lock(mutex_);
    logs_.emplace(name, Entry{.id = id, .log = nullptr, .is_on_disk = false});
  }
  return {};
}

std::shared_ptr<Log> LogSet::find(const protocol::TopicName& topic, std::int32_t partition) const {
  const std::lock_guard lock(mutex_);
  const auto entry = logs_.find(folder_name(topic, partition));
  return entry == logs_.end() ? nullptr : entry->second.log;
}

Result<void> LogSet::remove(const LogId& id) {
  const std::string name = folder_name(id.topic, id.partition);
  {
    const std::lock_guard lock(mutex_);
    const auto entry = logs_.find(name);
    if (entry == logs_.end() || entry->second.id != id) return {};
    if (entry->second.log != nullptr) entry->second.log->mark_removed();
    entry->second.is_leaving = true;
  }
  // 1. From here on it is gone, whatever happens.
  const std::string leaving = passing_name(id, kDeletedSuffix);
  const auto renamed = fs_.rename(path_of(name), path_of(leaving));
  if (!renamed && renamed.error().kind != ErrorKind::kNotFound) return renamed;
  if (auto synced = fs_.sync_dir(options_.dir); !synced) return synced;
  {
    const std::lock_guard lock(mutex_);
    logs_.erase(name);
  }
  // 2. Free the space. What fails here is done at the next start.
  if (auto deleted = delete_folder(leaving); !deleted) log::warn("LogSet", "{}", deleted.error().message);
  return {};
}

Result<void> LogSet::delete_folder(const std::string& name) {
  const std::string dir = path_of(name);
  const auto entries = fs_.list(dir);
  if (!entries) return std::unexpected(entries.error());
  for (const DirEntry& entry : *entries) {
    if (auto removed = fs_.remove(fmt::format("{}/{}", dir, entry.name)); !removed) return removed;
  }
  return fs_.remove_dir(dir);
}

Result<void> LogSet::close(const std::function<bool()>& in_time) {
  std::vector<std::shared_ptr<Log>> open;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, entry] : logs_) {
      if (entry.log != nullptr) open.push_back(entry.log);
    }
  }
  std::ranges::sort(open, std::ranges::greater{}, [](const auto& log) { return log->writes_one_batch(); });
  Result<void> first;
  std::size_t left = open.size();
  for (const auto& log : open) {
    if (!in_time()) break;
    if (auto closed = log->close(); !closed && first) first = std::move(closed);
    --left;
  }
  if (left > 0) log::info("LogSet", "{} logs are left for the next start to check", left);
  return first;
}

Result<Space> LogSet::space() const {
  return fs_.space(options_.dir);
}

}  // namespace cohort::storage
