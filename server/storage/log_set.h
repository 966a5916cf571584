// LogSet: the data folder and every log in it. Makes, opens, finds and removes logs, and keeps two processes apart.
//
// Owner: `app`; must outlive all logs. fs must outlive it. Threads: any; calls for different logs run side by side
// (LogThreads opens many at start), calls for one log must not overlap: they belong to that log's writer.
// Why folders are made under another name and renamed: after a power loss a log is there whole or not at all. Why a
// removed log is renamed first: half of its files are never seen as a log. Why the topic id lies in each folder: a
// topic made again under an old name must not adopt the old bytes; log ids (topic id + partition) are never used again.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/result.h"
#include "protocol/types/ids.h"
#include "server/storage/fs.h"
#include "server/storage/log.h"

namespace cohort::storage {

struct LogId {
  protocol::TopicName topic;
  protocol::TopicId topic_id;
  std::int32_t partition = 0;

  friend bool operator==(const LogId&, const LogId&) = default;
  friend auto operator<=>(const LogId&, const LogId&) = default;
};

struct LogSetOptions {
  std::string dir;                  // made if missing (its parent must exist)
  std::int32_t node_id = 1;         // must be the one that the folder was made with
  std::string new_cluster_id;       // used only when the folder is new; not empty, no control characters
  std::size_t open_segments = 128;  // closed segments that stay open for reading, over all logs
};

class LogSet {
 public:
  // Errors are one clear sentence: no permission, in use by another process, full, made by another node or version.
  static Result<std::unique_ptr<LogSet>> open(Fs& fs, LogSetOptions options);
  ~LogSet();  // closes nothing: close() does

  const std::string& cluster_id() const { return cluster_id_; }  // from meta.properties
  const std::string& dir() const { return options_.dir; }
  // The logs whose folders are in the data folder, opened or not. For the catalogue, to find what nobody owns.
  std::vector<LogId> stored() const;

  bool is_stored(const LogId& id) const;

  // kCorrupt when the folder of that name belongs to another topic id or its log is damaged. An open log is returned
  // again as it is. A new log begins at offset 0 and is durable when this returns.
  Result<std::shared_ptr<Log>> open_or_create(const LogId& id, LogOptions options);
  std::shared_ptr<Log> find(const protocol::TopicName& topic, std::int32_t partition) const;  // open logs only; or null
  // Durable when it returns: after a power loss the log is gone. Whoever still holds the Log may read what is open.
  // A log that is not there (removed before a crash was noticed) is no error. After an error the log is out of use all
  // the same; the removal is ended by another call, by open_or_create() for a log of its name, or by the next start.
  Result<void> remove(const LogId& id);

  // Closes logs (see Log::close) while in_time() holds, those of the server itself, which write one batch at a time,
  // first. Gives the first error; the others are closed all the same. Logs are safe without it: what was answered is as
  // durable as was promised, and the next start scans their tails.
  Result<void> close(const std::function<bool()>& in_time);
  Result<Space> space() const;

 private:
  struct Entry {
    LogId id;
    std::shared_ptr<Log> log;  // null: not opened yet
    bool is_leaving = false;   // its removal failed half-way: whoever wants its name ends it
    bool is_on_disk = true;    // its folder's name is; else nothing may be promised of what is in it
  };
  LogSet(Fs& fs, LogSetOptions options);

  Result<void> end_removal(const std::string& name, const LogId& id);
  Result<void> take_folder();
  Result<void> load_meta();
  Result<void> holds_no_log() const;
  Result<void> scan();
  Result<void> create(const LogId& id, const LogOptions& options);
  Result<void> delete_folder(const std::string& name);
  std::string path_of(std::string_view name) const;

  Fs& fs_;
  LogSetOptions options_;
  SegmentCache cache_;
  std::unique_ptr<FileLock> lock_;
  std::string cluster_id_;
  mutable std::mutex mutex_;
  std::map<std::string, Entry> logs_;  // by folder name
};

}  // namespace cohort::storage
