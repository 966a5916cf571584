// One group coordinator under virtual time, and a shadow that is fed nothing but the records. Every step is checked:
// the shadow's hard state equals the live one, no partition has two owners, epochs stand in order and never fall, every
// member has a session timer and every timer an owner. A broken rule throws, which fails the test.
//   Harness h; h.topic("t", 3); h.join("m1", {.topics = {{"t"}}}); h.sleep(45s); h.records();
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "server/coordinator/core/coordinator.h"

namespace cohort::coordinator::testing {

using protocol::ErrorCode;
using Owned = std::map<std::string, std::vector<std::int32_t>>;  // partitions by topic name
using Lines = std::vector<std::string>;

// What a heartbeat says besides group, member and epoch.
struct Said {
  std::optional<std::vector<std::string>> topics = {};
  std::optional<std::string> regex = {};
  std::optional<Owned> owned = {};
  std::int32_t rebalance_timeout_ms = -1;
  std::optional<std::string> instance = {};
  std::optional<std::string> rack = {};
  std::optional<std::string> assignor = {};
  std::int16_t version = 1;
  std::string group = "g";
  std::string client_id = "client";
};

struct Answer {
  ErrorCode error = ErrorCode::kNone;
  std::optional<std::string> message;
  std::optional<std::string> member;
  std::int32_t epoch = 0;
  std::int32_t interval_ms = 0;
  std::optional<Owned> assignment;
  std::int64_t after = -1;
};

// Kafka's defaults, but targets are computed within the heartbeat that needs them, as in the conformance settings.
config::GroupConfig exact_config();

class Harness {
 public:
  explicit Harness(config::GroupConfig config = exact_config());

  // --- topics ---
  void topic(const std::string& name, std::int32_t partitions);  // makes it, or gives it more partitions
  void drop_topic(const std::string& name);
  void replace_topic(const std::string& name, std::int32_t partitions);  // deleted and made again, seen as one change
  // Changes while the process is down: seen at the next restart.
  void drop_topic_unseen(const std::string& name);
  void topic_unseen(const std::string& name, std::int32_t partitions);
  protocol::Uuid next_topic_id() const { return {1, topics_made_ + 1}; }
  void override_group(const std::string& group, GroupOverrides overrides);

  // --- requests ---
  Answer beat(const std::string& member, std::int32_t epoch, const Said& said = {});
  // A full request with epoch 0; rebalance timeout 60 s and no partitions unless said otherwise.
  Answer join(const std::string& member, Said said);
  // What beat() and join() send.
  ConsumerHeartbeat beating(const std::string& member, std::int32_t epoch, const Said& said = {}) const;
  ConsumerHeartbeat joining(const std::string& member, Said said) const;
  Answer leave(const std::string& member, const Said& said = {});
  Answer leave_for_a_while(const std::string& member, const std::string& instance, Said said = {});
  GroupResponse request(const GroupRequest& request);  // answered in the same step
  // One that may wait for others; its answer, once there is one, can be taken once.
  ReplyToken send(const GroupRequest& request);
  bool is_answered(ReplyToken token) const { return answers_.contains(token); }
  GroupResponse answer(ReplyToken token);
  // The next step that writes is refused, as by a shard whose log cannot be written.
  void refuse_next(ErrorCode error) { refuse_next_ = error; }
  std::int64_t last_after() const { return last_after_; }  // what the last reply to request() rests on
  protocol::ConsumerGroupDescribeResponse::DescribedGroup describe(const std::string& group = "g");

  // --- time and jobs ---
  // Fires all timers that come due, in order.
  void sleep(Duration duration);
  std::size_t jobs() const { return jobs_.size(); }
  void run_jobs();
  // From now; nothing when the timer is not set.
  std::optional<Duration> deadline(TimerKind kind, const std::string& member, const std::string& group = "g") const;

  // --- what came of it ---
  // The records since the last call, one line each; see brief().
  Lines records();
  const GroupState& state() const { return live_->state(); }
  const ConsumerGroup& group(const std::string& id = "g") const;
  const ConsumerMember& member(const std::string& id, const std::string& group = "g") const;
  const Round& round(const std::string& group = "g") const;
  Owned assigned(const std::string& member, const std::string& group = "g") const;
  std::size_t largest_step() const { return largest_step_; }  // in records, of those that timers began
  std::int64_t last_offset() const { return static_cast<std::int64_t>(log_.size()) - 1; }
  const MetadataView& metadata() const { return *metadata_; }
  std::int64_t wall_ms() const { return now_.wall_ms; }

  // --- the log ---
  // A record as another program wrote it.
  void append(const protocol::GroupRecord& record);
  Result<void> try_append(const protocol::GroupRecord& record);
  // The process ends; a new one reads the log. compact: only the last record of each key is left of it.
  void restart(bool compact = false);

 private:
  class Ids : public IdSource {
   public:
    protocol::Uuid next_uuid() override { return {7, ++count_}; }

   private:
    std::uint64_t count_ = 0;
  };
  Answer ask(const ConsumerHeartbeat& heartbeat);
  struct LogRecord {
    std::vector<std::byte> key;
    std::optional<std::vector<std::byte>> value;
  };

  Context context() { return {now_, ids_, metadata_}; }
  void publish();
  void finish_step();
  void refuse_step(ErrorCode error);
  void note_answers();
  void log_and_apply(const protocol::GroupRecord& record);
  static protocol::GroupRecord decode(const LogRecord& record);
  std::string brief(const protocol::GroupRecord& record) const;
  std::string topic_name(const protocol::Uuid& id) const;
  Owned by_name(const OwnedPartitions& owned) const;
  void verify();
  void verify_rounds();
  bool has_owner(const TimerKey& key) const;
  void verify_epochs(const std::string& id, const ConsumerGroup& group);

  config::GroupConfig config_;
  Ids ids_;
  Now now_;
  std::map<std::string, TopicView> topics_;
  std::map<protocol::Uuid, std::string> names_;  // also of topics that are gone
  GroupOverridesById overrides_;
  std::int64_t metadata_version_ = 0;
  std::uint64_t topics_made_ = 0;
  std::shared_ptr<const MetadataView> metadata_ = std::make_shared<MetadataView>();

  std::unique_ptr<GroupCoordinator> live_;
  std::unique_ptr<GroupCoordinator> shadow_;
  Output output_;
  std::vector<LogRecord> log_;
  Lines lines_;
  std::map<TimerKey, MonoTime> timers_;
  std::vector<Job> jobs_;
  std::uint64_t tokens_ = 0;
  std::set<ReplyToken> open_;  // not answered yet
  std::map<ReplyToken, GroupResponse> answers_;
  std::optional<ErrorCode> refuse_next_;
  std::int64_t last_after_ = -1;  // of the last answer
  std::size_t largest_step_ = 0;
  struct Epochs {
    std::int32_t group = 0;
    std::int32_t assignment = 0;
  };
  std::map<std::string, Epochs> epochs_;
};

}  // namespace cohort::coordinator::testing
