// ResponseBuffer: encoded responses on their way to a socket: bytes, and between them records that were large enough
// not to be copied. Owned by a connection; cleared and used again it keeps its memory. Not thread-safe.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "protocol/wire/byte_buffer.h"
#include "protocol/wire/records.h"

namespace cohort::protocol {

struct ResponseBuffer {
  // Records from this size on are attached: below it a copy costs less than the system call that sends them alone.
  static constexpr std::size_t kAttachFrom = std::size_t{16} << 10;

  struct Attachment {
    std::size_t at = 0;  // how many of `bytes` come before it
    Records records;
  };

  ByteBuffer bytes;
  std::vector<Attachment> attachments;  // by `at`
  std::size_t attached_bytes = 0;

  std::size_t size() const { return bytes.size() + attached_bytes; }
  bool empty() const { return size() == 0; }
  // Of this process: a region of a file takes none.
  std::size_t memory() const {
    std::size_t held = bytes.size();
    for (const Attachment& attachment : attachments) {
      if (attachment.records.region() == nullptr) held += attachment.records.size();
    }
    return held;
  }

  void attach(const Records& records) {
    attachments.push_back({bytes.size(), records});
    attached_bytes += records.size();
  }
  // All that `other` holds, behind what is here; leaves it empty, with its memory.
  void take_all(ResponseBuffer& other) {
    for (Attachment& attachment : other.attachments) {
      attachments.push_back({bytes.size() + attachment.at, std::move(attachment.records)});
    }
    attached_bytes += other.attached_bytes;
    bytes.append(other.bytes.view());
    other.clear();
  }
  // Forgets all that came behind the first `byte_count` bytes and `attachment_count` attachments.
  void truncate(std::size_t byte_count, std::size_t attachment_count) {
    bytes.truncate(byte_count);
    while (attachments.size() > attachment_count) {
      attached_bytes -= attachments.back().records.size();
      attachments.pop_back();
    }
  }
  void clear() {
    bytes.clear();
    attachments.clear();
    attached_bytes = 0;
  }
};

}  // namespace cohort::protocol
