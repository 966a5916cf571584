#include "codegen/validate.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <utility>

#include "codegen/naming.h"

namespace cohort::codegen {
namespace {

std::optional<Problem> check_fields(const Message& message, const Struct& structure) {
  std::set<std::string> names;
  std::set<std::uint32_t> tags;
  for (const Field& field : structure.fields) {
    const std::string where = &structure == &message.body ? field.name : structure.name + "." + field.name;
    if (!names.insert(member_name(field.name)).second) return Problem{where, "the name comes twice"};
    if (field.type.kind == Kind::kStruct) {
      const auto known = std::ranges::find(message.structs, field.type.struct_name, &Struct::name);
      if (known == message.structs.end()) {
        return Problem{where, fmt::format("unknown struct \"{}\"", field.type.struct_name)};
      }
    }
    const Kind kind = field.type.kind;
    const bool can_be_null = field.type.is_array || kind == Kind::kString || kind == Kind::kBytes ||
                             kind == Kind::kRecords || kind == Kind::kStruct;
    if (field.is_nullable() && !can_be_null) return Problem{where, "a number cannot be null"};
    if (field.type.is_array &&
        (kind == Kind::kBytes || kind == Kind::kRecords || kind == Kind::kBool || kind == Kind::kFloat64)) {
      return Problem{where, "arrays of this type are not in use and not supported"};
    }
    if (field.tag) {
      if (!tags.insert(*field.tag).second) return Problem{where, fmt::format("tag {} comes twice", *field.tag)};
      if (!message.flexible.contains(field.versions))
        return Problem{where, "is tagged in a version that is not flexible"};
    }
  }
  if (!tags.empty() && *tags.rbegin() + 1 != tags.size()) {
    return Problem{&structure == &message.body ? "" : structure.name, "tags are not contiguous from 0"};
  }
  return std::nullopt;
}

// Depth first; a struct that contains itself, over however many steps, cannot be laid out.
bool place(const Message& message, const Struct& structure, std::set<std::string>& open, std::vector<Struct>& placed) {
  if (std::ranges::find(placed, structure.name, &Struct::name) != placed.end()) return true;
  if (!open.insert(structure.name).second) return false;
  for (const Field& field : structure.fields) {
    if (field.type.kind != Kind::kStruct) continue;
    const auto inner = std::ranges::find(message.structs, field.type.struct_name, &Struct::name);
    if (!place(message, *inner, open, placed)) return false;
  }
  open.erase(structure.name);
  placed.push_back(structure);
  return true;
}

}  // namespace

std::optional<Problem> validate(Message& message) {
  const std::string stem = std::filesystem::path(message.file).stem().string();
  if (message.name() != stem)
    return Problem{"", fmt::format("the file is named {} but the message {}", stem, message.name())};
  std::set<std::string> names{message.name()};
  for (const Struct& structure : message.structs) {
    if (!names.insert(structure.name).second) return Problem{structure.name, "the struct is defined twice"};
  }
  if (auto problem = check_fields(message, message.body)) return problem;
  for (const Struct& structure : message.structs) {
    if (auto problem = check_fields(message, structure)) return problem;
  }
  std::vector<Struct> placed;
  for (const Struct& structure : message.structs) {
    std::set<std::string> open;
    if (!place(message, structure, open, placed)) return Problem{structure.name, "the struct contains itself"};
  }
  message.structs = std::move(placed);
  return std::nullopt;
}

std::optional<std::string> validate_all(const std::vector<Message>& messages) {
  std::map<std::string, std::string> names;
  std::map<std::pair<std::string, int>, const Message*> firsts;   // requests and record keys
  std::map<std::pair<std::string, int>, const Message*> seconds;  // responses and record values
  for (const Message& message : messages) {
    if (!names.emplace(message.name(), message.file).second) {
      return fmt::format("{}: the name is taken by {}", message.file, names[message.name()]);
    }
    if (!message.api_key) continue;
    const bool is_first = message.type == MessageType::kRequest || message.type == MessageType::kRecordKey;
    const auto [at, fresh] = (is_first ? firsts : seconds).emplace(std::pair(message.log, *message.api_key), &message);
    if (!fresh) return fmt::format("{}: key {} is taken by {}", message.file, *message.api_key, at->second->file);
  }
  for (const auto* half : {&firsts, &seconds}) {
    const auto& other = half == &firsts ? seconds : firsts;
    for (const auto& [key, message] : *half) {
      const auto match = other.find(key);
      if (match == other.end())
        return fmt::format("{}: there is no counterpart with key {}", message->file, key.second);
      if (message->type != MessageType::kRequest) continue;
      if (message->versions != match->second->versions) {
        return fmt::format("{}: valid versions differ from those of {}", message->file, match->second->file);
      }
    }
  }
  return std::nullopt;
}

}  // namespace cohort::codegen
