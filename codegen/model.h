// What a schema says, checked and resolved: the emitters need no further question. Made by parse.h, never changed
// after.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace cohort::codegen {

inline constexpr int kMaxVersionNumber = std::numeric_limits<std::int16_t>::max();

// Versions from `low` to `high`, both included; empty when low > high ("none").
struct VersionRange {
  int low = 0;
  int high = -1;

  bool empty() const { return low > high; }
  bool contains(int version) const { return low <= version && version <= high; }
  bool contains(VersionRange other) const { return other.empty() || (low <= other.low && other.high <= high); }
  VersionRange intersect(VersionRange other) const {
    return {low > other.low ? low : other.low, high < other.high ? high : other.high};
  }
  friend bool operator==(const VersionRange&, const VersionRange&) = default;
};

enum class Kind {
  kBool,
  kInt8,
  kInt16,
  kUint16,
  kInt32,
  kUint32,
  kInt64,
  kFloat64,
  kString,
  kUuid,
  kBytes,
  kRecords,
  kStruct
};

struct Type {
  Kind kind = Kind::kBool;
  bool is_array = false;
  std::string struct_name;  // when kind is kStruct
};

// What a field holds when nobody set it. Numbers keep their C++ spelling.
struct Default {
  bool is_null = false;
  std::string text;  // number or "true"/"false"; for strings the value itself; else empty
};

struct Field {
  std::string name;  // as in the schema
  std::string about;
  Type type;
  VersionRange versions;
  VersionRange nullable;  // part of the message's valid versions; empty: never null
  std::optional<std::uint32_t> tag;
  std::optional<VersionRange> flexible;  // only where the field differs from its message
  bool ignorable = false;
  Default default_value;

  bool is_nullable() const { return !nullable.empty(); }
};

struct Struct {
  std::string name;
  std::string about;
  VersionRange versions;  // within the message's valid versions
  std::vector<Field> fields;

  bool has_tagged() const {
    for (const Field& field : fields) {
      if (field.tag) return true;
    }
    return false;
  }
};

enum class MessageType { kRequest, kResponse, kHeader, kData, kRecordKey, kRecordValue };

struct Message {
  std::string file;  // for messages to the user
  MessageType type = MessageType::kData;
  std::optional<int> api_key;  // of records: the record type
  bool latest_version_unstable = false;
  VersionRange versions;
  VersionRange flexible;
  Struct body;                  // its name is the message's
  std::vector<Struct> structs;  // nested and common ones; a struct comes after those it contains
  std::string log;              // records: group, share or transaction

  const std::string& name() const { return body.name; }
};

}  // namespace cohort::codegen
