// The bodies of ShardCore: steps, replies, writes. Included by the file that instantiates it for a family, and by
// tests. Loading and failing are in shard_core_load_impl.h.
#pragma once

#include <algorithm>
#include <utility>
#include <variant>

#include "protocol/base/check.h"
#include "protocol/base/log.h"
#include "server/runtime/shard_core.h"
#include "server/runtime/shard_core_load_impl.h"

namespace cohort::runtime {

template <typename Family>
ShardCore<Family>::ShardCore(std::string name, const typename Family::Config& config, coordinator::IdSource& ids,
                             const ShardLimits& limits, std::shared_ptr<const coordinator::MetadataView> metadata)
    : name_(std::move(name)),
      config_(config),
      ids_(ids),
      limits_(limits),
      metadata_(std::move(metadata)),
      pending_(limits.max_batch_bytes) {
  COHORT_CHECK(metadata_ != nullptr);
}

template <typename Family>
ShardCore<Family>::~ShardCore() = default;

// ---- inputs ----

template <typename Family>
void ShardCore<Family>::request(CallId call, const Request& request, const Now& now, Effects& effects) {
  if (!is_live()) [[unlikely]] {
    const bool loads = state_ == ShardState::kLoading || state_ == ShardState::kIdle;
    return refuse(call,
                  loads ? Refusal{protocol::ErrorCode::kCoordinatorLoadInProgress, "The coordinator is loading."}
                        : Refusal{protocol::ErrorCode::kNotCoordinator, "The coordinator is not serving."},
                  effects);
  }
  if (calls_.size() - free_calls_.size() >= limits_.max_open_requests) [[unlikely]] {
    return refuse(call, {protocol::ErrorCode::kCoordinatorNotAvailable, "Too many requests wait for this coordinator."},
                  effects);
  }
  const ReplyToken token = open_call(call);
  begin_step();
  coordinator_->handle(token, request, context(now), output_);
  finish_step(Origin::kRequest, now, effects);
}

template <typename Family>
void ShardCore<Family>::tick(const Now& now, Effects& effects) {
  if (retry_at_ && now.mono >= *retry_at_) {
    retry_at_.reset();
    if (state_ == ShardState::kFailed) return begin_load(effects);
    log::info("ShardCore", "{}: writes are tried again", name_);
    state_ = ShardState::kActive;
  }
  if (state_ != ShardState::kActive) return;
  for (std::size_t fired = 0; fired < limits_.timers_per_turn; ++fired) {
    const auto key = timers_.pop_due(now.mono);
    if (!key) return;
    begin_step();
    coordinator_->on_timer(*key, context(now), output_);
    // What it wanted to write is too large, now and perhaps for ever: neither forgotten nor tried without end.
    if (!finish_step(Origin::kInside, now, effects)) timers_.set(*key, now.mono + limits_.retry_backoff);
  }
}

template <typename Family>
void ShardCore<Family>::metadata_changed(std::shared_ptr<const coordinator::MetadataView> metadata, const Now& now,
                                         Effects& effects) {
  COHORT_CHECK(metadata != nullptr);
  metadata_ = std::move(metadata);
  if (!is_live()) return;  // on_loaded will look at it
  begin_step();
  output_.atomic = false;
  coordinator_->on_metadata(context(now), output_);
  finish_step(Origin::kInside, now, effects);
}

template <typename Family>
void ShardCore<Family>::job_done(std::uint64_t incarnation, const typename Family::JobResult& result, const Now& now,
                                 Effects& effects) {
  if (is_stale(incarnation, is_live())) return;
  begin_step();
  coordinator_->on_job(result, context(now), output_);
  finish_step(Origin::kInside, now, effects);
}

template <typename Family>
void ShardCore<Family>::written(std::uint64_t incarnation, Effects& effects) {
  if (is_stale(incarnation, pending_.is_writing())) return;
  failures_ = 0;
  for (Waiting& waiting : pending_.complete()) answer(waiting.token, std::move(waiting.response), effects);
}

template <typename Family>
std::optional<ShardWrite> ShardCore<Family>::take_write() {
  if (state_ != ShardState::kActive && state_ != ShardState::kStopping) return std::nullopt;
  auto write = pending_.take();
  if (!write) return std::nullopt;
  ++stats_.batches_written;
  return ShardWrite{incarnation_, write->base_offset, write->end_offset, std::move(write->bytes)};
}

template <typename Family>
std::optional<MonoTime> ShardCore<Family>::next_deadline() const {
  if (retry_at_) return retry_at_;
  if (state_ == ShardState::kActive) return timers_.next_deadline();
  return std::nullopt;
}

// Also counts. expected: whether the shard waits for such an input at all.
template <typename Family>
bool ShardCore<Family>::is_stale(std::uint64_t incarnation, bool expected) {
  if (incarnation == incarnation_ && expected) return false;
  ++stats_.stale_inputs;
  return true;
}

// ---- steps ----

template <typename Family>
void ShardCore<Family>::begin_step() {
  output_.clear();
  ++stats_.steps;
}

template <typename Family>
bool ShardCore<Family>::finish_step(Origin origin, const Now& now, Effects& effects) {
  // 1. Everything that can be refused is refused before the first record is applied.
  std::int64_t last_record = -1;
  std::optional<Refusal> refusal;
  if (!output_.records.empty()) {
    refusal = refusal_of_records(origin);
    if (!refusal) {
      write_records(now);
      last_record = pending_.next_offset() - 1;
    }
  }

  // 2. Replies wait for the records they rest on, if these are not durable yet.
  for (auto& reply : output_.replies) {
    if (refusal) {
      ++stats_.refused;
      answer(reply.token, Family::refused(refusal->error, refusal->message), effects);
      continue;
    }
    const std::int64_t after = std::max(reply.after, last_record);
    COHORT_CHECK(after < pending_.next_offset(), "a reply rests on a record that does not exist");
    if (after < pending_.durable_end()) {
      ++stats_.replies_at_once;
      answer(reply.token, std::move(reply.response), effects);
    } else {
      ++stats_.replies_waited;
      open_at(reply.token).is_answered = true;
      pending_.wait_for(after, Waiting{reply.token, std::move(reply.response)});
    }
  }

  // 3. Timers and jobs, also of a refused step: the coordinator has noted them in its soft state. Stale ones are
  // normal. But a refused step cancels nothing: a member whose leave was refused stays, and needs its session timer.
  for (auto& operation : output_.timers) {
    if (const auto* set = std::get_if<typename Family::SetTimer>(&operation)) {
      timers_.set(set->key, set->deadline);
    } else if (!refusal) {
      timers_.cancel(std::get<typename Family::CancelTimer>(operation).key);
    }
  }
  for (auto& job : output_.jobs) effects.jobs.push_back({incarnation_, std::move(job)});

  // 4. A coordinator may have counted on its records, and others may wait for what they were to bring about.
  if (refusal) take_back(*refusal, now, effects);
  return !refusal;
}

template <typename Family>
void ShardCore<Family>::take_back(const Refusal& refusal, const Now& now, Effects& effects) {
  const auto records = std::move(output_.records);
  begin_step();
  coordinator_->on_refused(records, refusal.error, context(now), output_);
  COHORT_CHECK(output_.records.empty(), "a refusal writes records");
  finish_step(Origin::kInside, now, effects);
}

template <typename Family>
Result<void> ShardCore<Family>::encode_records() {
  encoded_keys_.clear();
  encoded_values_.clear();
  encoded_.clear();
  encoded_batch_bytes_ = 0;
  for (const auto& record : output_.records) {
    EncodedRecord encoded;
    encoded.key_begin = encoded_keys_.size();
    encoded.value_begin = encoded_values_.size();
    const auto has_value = Family::encode(record, encoded_keys_, encoded_values_);
    if (!has_value) return std::unexpected(has_value.error());
    encoded.has_value = *has_value;
    encoded.key_bytes = encoded_keys_.size() - encoded.key_begin;
    encoded.value_bytes = encoded_values_.size() - encoded.value_begin;
    encoded_batch_bytes_ += encoded.batch_bytes();
    encoded_.push_back(encoded);
  }
  return {};
}

template <typename Family>
std::optional<Refusal> ShardCore<Family>::refusal_of_records(Origin origin) {
  if (const auto encoded = encode_records(); !encoded) {
    log::error("ShardCore", "{}: a record cannot be written: {}", name_, encoded.error().message);
    return Refusal{protocol::ErrorCode::kUnknownServerError, "The request makes a record that cannot be written."};
  }
  const bool fits = output_.atomic ? pending_.can_hold(encoded_batch_bytes_)
                                   : std::ranges::all_of(encoded_, [this](const EncodedRecord& record) {
                                       return pending_.can_hold(record.batch_bytes());
                                     });
  if (!fits) {
    log::error("ShardCore", "{}: {} records of {} bytes do not fit into a batch of {} bytes and are not written", name_,
               encoded_.size(), encoded_batch_bytes_, limits_.max_batch_bytes);
    // Kafka: CoordinatorOperationExceptionHelper turns RECORD_LIST_TOO_LARGE into this.
    return Refusal{protocol::ErrorCode::kUnknownServerError,
                   "The request writes more than one batch of the log holds."};
  }
  if (origin == Origin::kInside) return std::nullopt;
  if (state_ == ShardState::kReadOnly) {
    return Refusal{protocol::ErrorCode::kCoordinatorNotAvailable,
                   "The coordinator's log cannot be written at present."};
  }
  if (pending_.bytes() + encoded_batch_bytes_ > limits_.max_waiting_bytes) {
    return Refusal{protocol::ErrorCode::kCoordinatorNotAvailable, "Too much waits to be written by this coordinator."};
  }
  return std::nullopt;
}

// Appends and applies, record by record: from here on nothing can be refused.
template <typename Family>
void ShardCore<Family>::write_records(const Now& now) {
  if (output_.atomic) pending_.make_room(encoded_batch_bytes_);
  for (std::size_t i = 0; i < encoded_.size(); ++i) {
    const EncodedRecord& encoded = encoded_[i];
    if (!output_.atomic) pending_.make_room(encoded.batch_bytes());
    const auto key = encoded_keys_.view().subspan(encoded.key_begin, encoded.key_bytes);
    protocol::NullableSpan value;
    if (encoded.has_value) value = encoded_values_.view().subspan(encoded.value_begin, encoded.value_bytes);
    const std::int64_t offset = pending_.append(now.wall_ms, key, value);
    const auto applied = coordinator_->apply(output_.records[i], offset);
    COHORT_CHECK(applied.has_value(), "a record that was just decided cannot be applied");
  }
  stats_.records_written += encoded_.size();
}

// ---- calls ----

template <typename Family>
typename ShardCore<Family>::ReplyToken ShardCore<Family>::open_call(CallId call) {
  if (free_calls_.empty()) {
    free_calls_.push_back(static_cast<std::uint32_t>(calls_.size()));
    calls_.emplace_back();
  }
  const std::uint32_t place = free_calls_.back();
  free_calls_.pop_back();
  OpenCall& open = calls_[place];
  ++open.use;
  open.call = call;
  open.is_open = true;
  open.is_answered = false;
  return ReplyToken(std::uint64_t{open.use} << 32 | place);
}

template <typename Family>
typename ShardCore<Family>::OpenCall& ShardCore<Family>::open_at(ReplyToken token) {
  const auto place = static_cast<std::uint32_t>(token.value());
  COHORT_CHECK(place < calls_.size() && calls_[place].is_open && calls_[place].use == token.value() >> 32,
               "a reply to a request that is not open");
  return calls_[place];
}

template <typename Family>
void ShardCore<Family>::answer(ReplyToken token, Response response, Effects& effects) {
  OpenCall& open = open_at(token);
  open.is_open = false;
  free_calls_.push_back(static_cast<std::uint32_t>(token.value()));
  effects.released.push_back({open.call, std::move(response)});
}

template <typename Family>
void ShardCore<Family>::refuse(CallId call, const Refusal& refusal, Effects& effects) {
  ++stats_.refused;
  effects.released.push_back({call, Family::refused(refusal.error, refusal.message)});
}

template <typename Family>
void ShardCore<Family>::refuse_open_calls(const Refusal& refusal, bool also_answered, Effects& effects) {
  for (std::size_t place = 0; place < calls_.size(); ++place) {
    OpenCall& open = calls_[place];
    if (!open.is_open || (open.is_answered && !also_answered)) continue;
    open.is_open = false;
    free_calls_.push_back(static_cast<std::uint32_t>(place));
    refuse(open.call, refusal, effects);
  }
}

}  // namespace cohort::runtime
