// A coordinator that does what its requests say, so that the rules of ShardCore are tested without those of groups, and
// a harness around it: a log in memory whose writes become durable, or fail, when the test says so.
#pragma once

#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "protocol/base/check.h"
#include "server/coordinator/core/context.h"
#include "server/coordinator/core/metadata_view.h"
#include "server/runtime/shard_core.h"

namespace cohort::runtime::test {

struct ScriptRecord {
  std::string key;  // "?...": of a type that decode does not know, "!...": apply refuses it, "/...": encode does
  std::optional<std::string> value;  // none: removes the key
  friend bool operator==(const ScriptRecord&, const ScriptRecord&) = default;
};

struct ScriptResponse {
  protocol::ErrorCode refused = protocol::ErrorCode::kNone;
  std::string text;
  friend bool operator==(const ScriptResponse&, const ScriptResponse&) = default;
};

struct ScriptSetTimer {
  std::string key;
  MonoTime deadline;
};
struct ScriptCancelTimer {
  std::string key;
};
struct ScriptJob {
  std::string name;
  std::string run(const std::stop_token& /*ending*/ = {}) const { return name + " done"; }
};

struct ScriptOutput {
  struct Reply {
    Strong<struct ScriptTokenTag, std::uint64_t> token;
    ScriptResponse response;
    std::int64_t after = -1;
  };
  std::vector<ScriptRecord> records;
  std::vector<Reply> replies;
  std::vector<std::variant<ScriptSetTimer, ScriptCancelTimer>> timers;
  std::vector<ScriptJob> jobs;
  bool atomic = true;
  void clear() { *this = ScriptOutput{}; }
};

// What a step shall do. Replies say the state's value of `read`.
struct Script {
  std::vector<ScriptRecord> write;
  std::string read;
  std::int64_t rests_on = -1;
  bool hold = false;  // no reply now: a long poll
  bool answer_held = false;
  std::vector<std::variant<ScriptSetTimer, ScriptCancelTimer>> timers;
  std::vector<std::string> jobs;
};

inline Script script_writing(std::string key, std::string value) {
  Script script;
  script.write = {{std::move(key), std::move(value)}};
  return script;
}
inline Script script_reading(std::string key, std::int64_t rests_on = -1) {
  Script script;
  script.read = std::move(key);
  script.rests_on = rests_on;
  return script;
}

// Set by the test, read by every coordinator that the core makes.
struct ScriptConfig {
  std::function<Script(const std::string&)> on_timer = [](const std::string& key) {
    return script_writing(key, "fired");
  };
  std::function<Script()> on_loaded = [] { return Script{}; };
  std::function<Script()> on_metadata = [] { return Script{}; };
  std::vector<std::string>* events = nullptr;  // what happened, unless null
};

class ScriptCoordinator {
 public:
  explicit ScriptCoordinator(const ScriptConfig& config) : config_(config) {}

  void handle(decltype(ScriptOutput::Reply::token) token, const Script& script, const coordinator::Context&,
              ScriptOutput& output) {
    if (script.hold) held_.push_back(token);
    if (script.answer_held) {
      for (auto held : held_) output.replies.push_back({held, {.refused = {}, .text = "held"}, -1});
      held_.clear();
    }
    run(script, output);
    if (script.hold) return;
    const auto at = values_.find(script.read);
    output.replies.push_back(
        {token, {.refused = {}, .text = at == values_.end() ? "" : at->second.first}, script.rests_on});
  }
  void on_timer(const std::string& key, const coordinator::Context& context, ScriptOutput& output) {
    note("timer " + key + " at " + std::to_string(context.now.mono.time_since_epoch().count()));
    run(config_.on_timer(key), output);
  }
  void on_job(const std::string& result, const coordinator::Context&, ScriptOutput& output) {
    note("job " + result);
    run(script_writing("job", result), output);
  }
  void on_metadata(const coordinator::Context& context, ScriptOutput& output) {
    note("metadata " + std::to_string(context.metadata->version()));
    run(config_.on_metadata(), output);
  }
  void on_loaded(const coordinator::Context& context, ScriptOutput& output) {
    note("loaded with metadata " + std::to_string(context.metadata->version()));
    run(config_.on_loaded(), output);
  }
  // A refused step takes its long polls with it.
  void on_refused(const std::vector<ScriptRecord>& records, protocol::ErrorCode error, const coordinator::Context&,
                  ScriptOutput& output) {
    note("refused " + std::to_string(records.size()));
    for (auto held : held_) output.replies.push_back({held, {.refused = error, .text = ""}, -1});
    held_.clear();
  }
  Result<void> apply(const ScriptRecord& record, std::int64_t offset) {
    if (record.key.starts_with('!')) return fail(ErrorKind::kCorrupt, "an impossible record");
    if (record.value)
      values_[record.key] = {*record.value, offset};
    else
      values_.erase(record.key);
    return {};
  }

  using Values = std::map<std::string, std::pair<std::string, std::int64_t>>;  // value and offset
  const Values& values() const { return values_; }

 private:
  static void run(const Script& script, ScriptOutput& output) {
    output.records = script.write;
    output.timers = script.timers;
    for (const auto& job : script.jobs) output.jobs.push_back({job});
  }
  void note(std::string event) {
    if (config_.events != nullptr) config_.events->push_back(std::move(event));
  }

  const ScriptConfig& config_;
  Values values_;
  std::vector<decltype(ScriptOutput::Reply::token)> held_;
};

struct ScriptFamily {
  using Coordinator = ScriptCoordinator;
  using Config = ScriptConfig;
  using Request = Script;
  using Response = ScriptResponse;
  using Record = ScriptRecord;
  using Output = ScriptOutput;
  using ReplyToken = decltype(ScriptOutput::Reply::token);
  using TimerKey = std::string;
  using SetTimer = ScriptSetTimer;
  using CancelTimer = ScriptCancelTimer;
  using Job = ScriptJob;
  using JobResult = std::string;

  static Response refused(protocol::ErrorCode error, std::string message) { return {error, std::move(message)}; }
  static Result<bool> encode(const Record& record, protocol::ByteBuffer& key, protocol::ByteBuffer& value) {
    if (record.key.starts_with('/')) return fail(ErrorKind::kInvalid, "no such key");
    key.append(std::as_bytes(std::span(record.key)));
    if (record.value) value.append(std::as_bytes(std::span(*record.value)));
    return record.value.has_value();
  }
  static Result<std::optional<Record>> decode(protocol::NullableSpan key, protocol::NullableSpan value) {
    const auto text = [](std::span<const std::byte> bytes) {
      return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    };
    if (!key) return fail(ErrorKind::kMalformed, "a record without key");
    if (text(*key).starts_with('?')) return std::nullopt;
    Record record{text(*key), std::nullopt};
    if (value) record.value = text(*value);
    return record;
  }
};

class CountingIds final : public coordinator::IdSource {
 public:
  protocol::Uuid next_uuid() override { return {}; }
};

// The core with a log. Calls are numbered by the test; answered() is what left since it was asked last.
class Harness {
 public:
  using Core = ShardCore<ScriptFamily>;

  explicit Harness(ShardLimits limits = {}) : limits_(limits) { config.events = &events; }

  // Starts and loads what the log holds.
  void start() {
    make();
    core->start(effects);
    load();
  }
  void make() {
    core.emplace("test-0", config, ids_, limits_,
                 std::make_shared<coordinator::MetadataView>(metadata_version, Topics{}));
  }
  // Serves reads until the core asks for nothing any more.
  void load() {
    while (effects.read || core->wants_slice()) {
      if (effects.read) {
        const ShardRead read = *std::exchange(effects.read, std::nullopt);
        core->loaded(read.incarnation, chunk(read.offset));
      } else {
        core->load_slice(now, effects);
      }
    }
  }
  LogChunk chunk(std::int64_t from, std::size_t batches = 2) const {
    LogChunk result{.batches = {}, .next_offset = from, .durable_end = durable_end};
    std::vector<std::byte> bytes;
    for (const Batch& write : log) {
      if (write.base_offset < from || batches == 0) continue;
      bytes.insert(bytes.end(), write.bytes.begin(), write.bytes.end());
      result.next_offset = write.end_offset;
      --batches;
    }
    result.batches = protocol::Bytes::copy_of(bytes);
    return result;
  }

  void request(std::uint64_t call, const Script& script) { core->request(CallId(call), script, now, effects); }
  void write(std::uint64_t call, std::string key, std::string value) {
    request(call, script_writing(std::move(key), std::move(value)));
  }
  // Takes the next batch on its way; durable() or failed() ends it.
  bool begin_write() {
    in_flight = core->take_write();
    return in_flight.has_value();
  }
  void durable() {
    COHORT_CHECK(in_flight.has_value());
    COHORT_CHECK(in_flight->base_offset == durable_end);
    durable_end = in_flight->end_offset;
    const ShardWrite write = take_in_flight();
    const auto bytes = write.batch.view();
    log.push_back({write.base_offset, write.end_offset, {bytes.begin(), bytes.end()}});
    core->written(write.incarnation, effects);
  }
  void failed() {
    COHORT_CHECK(in_flight.has_value());
    core->write_failed(take_in_flight().incarnation, Error{.kind = ErrorKind::kIo, .message = "disk on fire"}, effects);
  }
  void flush() {
    while (begin_write()) durable();
  }
  void tick_at(std::int64_t ms) {
    now.mono = MonoTime(Duration(ms));
    core->tick(now, effects);
  }

  // "1:text" or "1!error", in the order they left.
  std::vector<std::string> answered() {
    std::vector<std::string> texts;
    for (const auto& released : std::exchange(effects.released, {})) {
      const auto& response = released.response;
      texts.push_back(std::to_string(released.call.value()) +
                      (response.refused == protocol::ErrorCode::kNone
                           ? ":" + response.text
                           : "!" + std::to_string(static_cast<int>(response.refused))));
    }
    return texts;
  }
  std::vector<std::string> take_events() { return std::exchange(events, {}); }
  const ScriptCoordinator::Values& values() const { return core->coordinator()->values(); }

  using Topics = std::vector<coordinator::TopicView>;
  ScriptConfig config;
  std::vector<std::string> events;
  std::int64_t metadata_version = 1;
  Now now{.mono = MonoTime(Duration{0}), .wall_ms = 1'700'000'000'000};
  struct Batch {
    std::int64_t base_offset = 0;
    std::int64_t end_offset = 0;
    std::vector<std::byte> bytes;
  };
  std::vector<Batch> log;  // what is durable
  std::int64_t durable_end = 0;
  std::optional<ShardWrite> in_flight;
  Core::Effects effects;
  std::optional<Core> core;

 private:
  ShardWrite take_in_flight() {
    ShardWrite write = std::move(*in_flight);
    in_flight.reset();
    return write;
  }

  ShardLimits limits_;
  CountingIds ids_;
};

}  // namespace cohort::runtime::test
