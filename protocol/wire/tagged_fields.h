// TaggedFields: the tagged fields of a struct that no schema of ours knows (KIP-482). They are kept, so that a message
// that is read and written again loses nothing. Nearly always empty, hence one pointer; a plain value otherwise.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "protocol/wire/bytes.h"

namespace cohort::protocol {

struct TaggedField {
  std::uint32_t tag = 0;
  Bytes data;  // borrowed from the frame after reading
  friend bool operator==(const TaggedField&, const TaggedField&) = default;
};

class TaggedFields {
 public:
  TaggedFields() = default;
  TaggedFields(const TaggedFields& other)
      : fields_(other.fields_ ? std::make_unique<std::vector<TaggedField>>(*other.fields_) : nullptr) {}
  TaggedFields(TaggedFields&&) noexcept = default;
  TaggedFields& operator=(const TaggedFields& other) {
    if (this != &other) *this = TaggedFields(other);
    return *this;
  }
  TaggedFields& operator=(TaggedFields&&) noexcept = default;
  ~TaggedFields() = default;

  bool empty() const { return fields_ == nullptr; }
  std::size_t size() const { return fields_ ? fields_->size() : 0; }
  void clear() { fields_.reset(); }
  // In ascending order of tags.
  std::span<const TaggedField> view() const {
    return fields_ ? std::span<const TaggedField>(*fields_) : std::span<const TaggedField>();
  }
  // The tag must be higher than all that are there.
  void append(std::uint32_t tag, Bytes data);

  friend bool operator==(const TaggedFields& a, const TaggedFields& b) {
    return a.fields_ && b.fields_ ? *a.fields_ == *b.fields_ : a.fields_ == b.fields_;
  }

 private:
  std::unique_ptr<std::vector<TaggedField>> fields_;  // null, or not empty
};

}  // namespace cohort::protocol
