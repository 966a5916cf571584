// What makes a shard of the templates in this room a group shard: a partition of __consumer_offsets.
//
// Why templates over a family: share groups' state (__share_group_state) and transactions (__transaction_state) live in
// logs of their own, with their own requests and records, under the same rules of writing, waiting, failing and
// loading. Virtual functions would bring back a variant of all families' requests; one class for all would know every
// family. The bodies are compiled once per family (shard_core.cc, shard.cc); tests put a scripted coordinator in the
// family's place.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "protocol/base/result.h"
#include "protocol/batch/record.h"
#include "protocol/records/group_record.h"
#include "protocol/types/error_code.h"
#include "protocol/wire/byte_buffer.h"
#include "server/coordinator/core/coordinator.h"

namespace cohort::runtime {

struct GroupFamily {
  using Coordinator = coordinator::GroupCoordinator;
  using Config = config::GroupConfig;
  using Request = coordinator::GroupRequest;
  using Response = coordinator::GroupResponse;
  using Record = protocol::GroupRecord;
  using Output = coordinator::Output;
  using ReplyToken = coordinator::ReplyToken;
  using TimerKey = coordinator::TimerKey;
  using SetTimer = coordinator::SetTimer;
  using CancelTimer = coordinator::CancelTimer;
  using Job = coordinator::Job;
  using JobResult = coordinator::JobResult;

  static constexpr const char* kTopic = "__consumer_offsets";

  static Response refused(protocol::ErrorCode error, std::string message) {
    return coordinator::Refused{.error = error, .message = std::move(message)};
  }
  // Appends the record's key and value as they stand in the log. False: no value, a tombstone.
  static Result<bool> encode(const Record& record, protocol::ByteBuffer& key, protocol::ByteBuffer& value) {
    return protocol::write_group_record(record, key, value);
  }
  // The record borrows from the bytes. nullopt: a type that this version does not know.
  static Result<std::optional<Record>> decode(protocol::NullableSpan key, protocol::NullableSpan value);
};

}  // namespace cohort::runtime
