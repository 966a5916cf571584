// Classic requests in one line each. Joins and syncs may wait: what they give back is asked later.
//   Classic c(h); auto m1 = c.member("m1"); ... c.join(m1).get().generation
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/coordinator/harness.h"

namespace cohort::coordinator::testing {

// What a join says besides the member id.
struct JoinAs {
  std::vector<std::pair<std::string, std::string>> protocols = {{"range", "metadata"}};
  std::string type = "conform";
  std::int32_t session_ms = 10'000;
  std::int32_t rebalance_ms = 60'000;
  std::optional<std::string> instance = std::nullopt;
  std::int16_t version = 9;
  std::string group = "g";
  std::string client = "client";
};

template <typename Response>
class Waiting {
 public:
  Waiting(Harness& h, ReplyToken token) : h_(h), token_(token) {}
  bool waits() const { return !h_.is_answered(token_); }
  // Once.
  Response get() { return std::get<Response>(h_.answer(token_)); }
  ErrorCode refused() { return std::get<Refused>(h_.answer(token_)).error; }
  ErrorCode error() { return static_cast<ErrorCode>(get().error_code); }

 private:
  Harness& h_;
  ReplyToken token_;
};
using WaitingJoin = Waiting<protocol::JoinGroupResponse>;
using WaitingSync = Waiting<protocol::SyncGroupResponse>;
using Assignments = std::map<std::string, std::string>;  // by member

class Classic {
 public:
  explicit Classic(Harness& h) : h_(h) {}

  WaitingJoin join(const std::string& member = {}, const JoinAs& as = {});
  // The id that a new member is told.
  std::string new_id(const JoinAs& as = {});
  WaitingSync sync(const std::string& member, std::int32_t generation, const Assignments& assignments = {},
                   const JoinAs& as = {});
  ErrorCode beat(const std::string& member, std::int32_t generation, const JoinAs& as = {});
  // Error codes by member, in the order of the request: member id and instance id each.
  std::vector<ErrorCode> leave(const std::vector<std::pair<std::string, std::optional<std::string>>>& members);
  ErrorCode leave(const std::string& member);
  protocol::DescribeGroupsResponse::DescribedGroup describe(const std::string& group = "g");

  // A stable group of so many dynamic members, in the order in which they came; the first leads.
  std::vector<std::string> stable(std::size_t count, const JoinAs& as = {});
  // All of them join again and get their own ids as assignments; the first is the leader.
  void rebalance(const std::vector<std::string>& members, const JoinAs& as = {});

 private:
  Harness& h_;
};

// No delay for the first members.
config::GroupConfig classic_config();

// What consumers write into JoinGroup and their leader into SyncGroup, version 1.
std::string consumer_metadata(const std::vector<std::string>& topics, const Owned& owned = {});
std::string consumer_assignment(const Owned& partitions);

}  // namespace cohort::coordinator::testing
