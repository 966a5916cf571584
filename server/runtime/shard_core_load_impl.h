// The bodies of ShardCore: start, load, failure, stop. Included by shard_core_impl.h alone.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "protocol/base/check.h"
#include "protocol/base/log.h"
#include "server/runtime/shard_core.h"

namespace cohort::runtime {

template <typename Family>
void ShardCore<Family>::start(Effects& effects) {
  COHORT_CHECK(state_ == ShardState::kIdle, "started twice");
  begin_load(effects);
}

template <typename Family>
void ShardCore<Family>::begin_load(Effects& effects) {
  state_ = ShardState::kLoading;
  ++incarnation_;
  ++stats_.loads;
  retry_at_.reset();
  coordinator_ = std::make_unique<Coordinator>(config_);
  timers_.clear();
  pending_.reset(0);
  replay_.start();
  effects.read = ShardRead{incarnation_, replay_.next_offset()};
}

template <typename Family>
void ShardCore<Family>::loaded(std::uint64_t incarnation, LogChunk chunk) {
  if (is_stale(incarnation, state_ == ShardState::kLoading)) return;
  replay_.add(std::move(chunk));
}

template <typename Family>
void ShardCore<Family>::load_slice(const Now& now, Effects& effects) {
  COHORT_CHECK(wants_slice());
  protocol::RecordView record;
  for (std::size_t applied = 0; applied < limits_.load_slice_records; ++applied) {
    const auto more = replay_.next(record);
    if (!more) return fail_load(more.error(), now);
    if (!*more) {
      if (replay_.is_finished()) return finish_load(now, effects);
      effects.read = ShardRead{incarnation_, replay_.next_offset()};
      return;
    }
    auto decoded = Family::decode(record.key, record.value);
    auto done = decoded ? Result<void>{} : std::unexpected(decoded.error());
    if (done && !*decoded) {
      // As in Kafka's CoordinatorLoaderImpl: left over from a newer version that was taken back.
      if (stats_.unknown_records++ == 0) {
        log::warn("ShardCore", "{}: the record at offset {} is of an unknown type; such records are skipped", name_,
                  record.offset);
      }
      continue;
    }
    if (done) done = coordinator_->apply(**decoded, record.offset);
    if (!done) {
      done.error().message = fmt::format("record at offset {}: {}", record.offset, done.error().message);
      return fail_load(done.error(), now);
    }
    ++stats_.records_loaded;
  }
}

template <typename Family>
void ShardCore<Family>::finish_load(const Now& now, Effects& effects) {
  pending_.reset(replay_.durable_end());
  replay_.start();
  state_ = ShardState::kActive;
  if (failures_ >= 2) {
    state_ = ShardState::kReadOnly;
    retry_at_ = now.mono + backoff();
    log::warn("ShardCore", "{}: writing failed {} times in a row; it is tried again in {} ms", name_, failures_,
              backoff().count());
  }
  begin_step();
  output_.atomic = false;
  coordinator_->on_loaded(context(now), output_);
  finish_step(Origin::kInside, now, effects);
}

template <typename Family>
void ShardCore<Family>::load_failed(std::uint64_t incarnation, const Error& error, const Now& now) {
  if (is_stale(incarnation, state_ == ShardState::kLoading)) return;
  fail_load(error, now);
}

template <typename Family>
void ShardCore<Family>::fail_load(const Error& error, const Now& now) {
  state_ = ShardState::kFailed;
  ++failures_;
  coordinator_.reset();
  replay_.start();
  // A disk may get well again; a damaged log does not.
  if (error.kind == ErrorKind::kIo) retry_at_ = now.mono + backoff();
  log::error("ShardCore", "{}: cannot be loaded, its groups are not served{}: {}", name_,
             retry_at_ ? " until it is tried again" : "", error.message);
}

template <typename Family>
Duration ShardCore<Family>::backoff() const {
  const int doublings = std::clamp(failures_ - 2, 0, 20);
  return std::min(limits_.retry_backoff * (1 << doublings), limits_.max_retry_backoff);
}

template <typename Family>
void ShardCore<Family>::write_failed(std::uint64_t incarnation, const Error& error, Effects& effects) {
  if (is_stale(incarnation, pending_.is_writing())) return;
  ++stats_.write_failures;
  ++failures_;
  log::error("ShardCore", "{}: writing to the log failed; what waited for it is refused and the state loaded again: {}",
             name_, error.message);
  // Kafka: KAFKA_STORAGE_ERROR becomes this. Nobody was told otherwise, and nothing of it will be read back.
  refuse_open_calls({protocol::ErrorCode::kNotCoordinator, "The coordinator's log could not be written."}, true,
                    effects);
  if (state_ == ShardState::kStopping) return pending_.reset(pending_.durable_end());
  begin_load(effects);
}

template <typename Family>
void ShardCore<Family>::stop(Effects& effects) {
  if (!is_live()) pending_.reset(0);
  state_ = ShardState::kStopping;
  retry_at_.reset();
  timers_.clear();
  replay_.start();
  refuse_open_calls({protocol::ErrorCode::kNotCoordinator, "The coordinator is shutting down."}, false, effects);
}

template <typename Family>
void ShardCore<Family>::abandon(Effects& effects) {
  refuse_open_calls({protocol::ErrorCode::kNotCoordinator, "The coordinator is gone."}, true, effects);
}

}  // namespace cohort::runtime
