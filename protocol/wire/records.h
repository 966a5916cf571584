// Records: the record batches of a message, as `records` fields hold them: bytes in memory, or a region of a file that
// whoever sends the message lets the system copy, so that they never come into this process.
//
// Decoding gives borrowed bytes, as everywhere (bytes.h); only a log makes regions, and only a response carries one.
// Why a type of its own and not a third state of Bytes: everything else reads the bytes that it holds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <variant>

#include "protocol/wire/bytes.h"

namespace cohort::protocol {

// Bytes of an open file. They may be gone when they are sent (a log was cut back after a failed sync): then the file
// ends early, and so does the connection.
struct FileRegion {
  std::shared_ptr<const void> owner;  // keeps the descriptor open
  int descriptor = -1;
  std::uint64_t position = 0;
  std::size_t size = 0;
};

class Records {
 public:
  Records() = default;
  Records(Bytes bytes) : held_(std::move(bytes)) {}  // implicit: what most are
  Records(FileRegion region) : held_(std::move(region)) {}

  std::size_t size() const { return region() != nullptr ? region()->size : std::get<Bytes>(held_).size(); }
  bool empty() const { return size() == 0; }
  // Null: in memory.
  const FileRegion* region() const { return std::get_if<FileRegion>(&held_); }
  // Precondition: in memory.
  const Bytes& bytes() const;
  std::span<const std::byte> view() const { return bytes().view(); }

  friend bool operator==(const Records& a, const Records& b) { return a.bytes() == b.bytes(); }

 private:
  std::variant<Bytes, FileRegion> held_;
};

}  // namespace cohort::protocol
