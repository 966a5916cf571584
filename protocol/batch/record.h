// The records inside a batch: views, a reader, and the loop that everybody wants.
// Owner: the caller owns the batch and the scratch buffer of decompressed bytes. Threads: any (values). Lifetime: views
// die with those bytes. Why a scratch buffer as an argument: replay and validation decode many batches; one buffer
// serves them all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include "protocol/base/result.h"
#include "protocol/batch/record_batch.h"

namespace cohort::protocol {

class ByteBuffer;

// Bytes that may be null. Borrowed.
using NullableSpan = std::optional<std::span<const std::byte>>;

struct RecordHeader {
  std::string_view key;  // UTF-8 by convention; not checked, as in Kafka
  NullableSpan value;
};

// The headers of one record, decoded while one walks over them: no allocation. Only RecordReader makes one that is not
// empty, after checking every length in it.
class RecordHeaders {
 public:
  class Iterator {
   public:
    using value_type = RecordHeader;
    using difference_type = std::ptrdiff_t;

    Iterator() = default;
    const RecordHeader& operator*() const { return current_; }
    const RecordHeader* operator->() const { return &current_; }
    Iterator& operator++() {
      if (--left_ > 0) read();
      return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const Iterator& iterator, std::default_sentinel_t) { return iterator.left_ == 0; }

   private:
    friend class RecordHeaders;
    Iterator(std::span<const std::byte> bytes, std::int32_t left) : rest_(bytes), left_(left) {
      if (left_ > 0) read();
    }
    void read();

    std::span<const std::byte> rest_;  // behind current_
    std::int32_t left_ = 0;            // current_ included
    RecordHeader current_;
  };

  RecordHeaders() = default;
  std::int32_t size() const { return count_; }
  bool empty() const { return count_ == 0; }
  Iterator begin() const { return Iterator(bytes_, count_); }
  std::default_sentinel_t end() const { return {}; }

 private:
  friend class RecordReader;
  RecordHeaders(std::span<const std::byte> bytes, std::int32_t count) : bytes_(bytes), count_(count) {}

  std::span<const std::byte> bytes_;
  std::int32_t count_ = 0;
};

struct RecordView {
  std::int64_t offset = 0;
  std::int32_t offset_delta = 0;
  std::int64_t timestamp_ms = kNoTimestamp;  // the batch's max timestamp under LogAppendTime
  std::int32_t sequence = kNoSequence;
  std::size_t size_in_bytes = 0;  // on the wire, with its length prefix
  NullableSpan key;
  NullableSpan value;
  RecordHeaders headers;
};

// What a control record means (Kafka's ControlRecordType). Types that are not listed are legal and skipped by readers.
enum class ControlRecordType : std::int16_t {
  kAbort = 0,
  kCommit = 1,
  kLeaderChange = 2,
  kSnapshotHeader = 3,
  kSnapshotFooter = 4,
  kKraftVersion = 5,
  kKraftVoters = 6,
};

// From the key of a record in a control batch: int16 version (any from 0 on), int16 type.
Result<ControlRecordType> control_record_type(const RecordView& record);

// The records of the batch without compression: the batch's own bytes, or those put into scratch. kTooLarge if more
// than max_bytes come out of the codec, kUnsupported for an unknown codec, kMalformed for bytes that the codec does not
// understand.
Result<std::span<const std::byte>> uncompressed_records(const BatchView& batch, std::size_t max_bytes,
                                                        ByteBuffer& scratch);

// Reads one record after the other. Every length is checked against the bytes that are there.
class RecordReader {
 public:
  // records: from uncompressed_records of the same batch.
  RecordReader(const BatchHeader& batch, std::span<const std::byte> records);

  // True and a record, or false behind the last one. kMalformed: a record does not follow the format, there are fewer
  // records than the header says, or bytes behind the last one.
  Result<bool> next(RecordView& record);

 private:
  std::span<const std::byte> rest_;
  std::int64_t base_offset_;
  std::int64_t base_timestamp_;
  std::int64_t log_append_time_;
  std::int32_t base_sequence_;
  std::int32_t left_;
  bool is_log_append_time_;
};

// Calls fn(const RecordView&) for each record; fn returns void, or Result<void> whose error ends the loop.
template <typename Fn>
Result<void> for_each_record(const BatchView& batch, std::size_t max_decompressed_bytes, ByteBuffer& scratch, Fn&& fn) {
  auto records = uncompressed_records(batch, max_decompressed_bytes, scratch);
  if (!records) return std::unexpected(std::move(records.error()));
  RecordReader reader(batch, *records);
  RecordView record;
  while (true) {
    auto more = reader.next(record);
    if (!more) return std::unexpected(std::move(more.error()));
    if (!*more) return {};
    if constexpr (std::is_void_v<std::invoke_result_t<Fn&, const RecordView&>>) {
      fn(std::as_const(record));
    } else {
      if (auto done = fn(std::as_const(record)); !done) return std::unexpected(std::move(done.error()));
    }
  }
}

}  // namespace cohort::protocol
