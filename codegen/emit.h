// The emitters: each turns checked messages into the text of one C++ file.
#pragma once

#include <string>
#include <vector>

#include "codegen/code.h"
#include "codegen/model.h"

namespace cohort::codegen {

inline constexpr const char* kDoNotEdit = "// Made by codegen from {}. Do not edit.";

// "protocol/messages/join_group_request" or "protocol/records/offset_commit_value": path without ending.
std::string include_stem(const Message& message);

std::string emit_header(const Message& message);
std::string emit_source(const Message& message);
std::string emit_api_list(const std::vector<Message>& messages);

// Parts of emit_source.
void emit_read(Code& code, const Message& message, const Struct& structure);
void emit_write(Code& code, const Message& message, const Struct& structure);
void emit_json(Code& code, const Message& message, const Struct& structure);

// The variant of all records of one log ("group"), its header and source.
std::string emit_record_header(const std::string& log, const std::vector<Message>& messages);
std::string emit_record_source(const std::string& log, const std::vector<Message>& messages);

// C++ name of a struct: "JoinGroupRequest" or "JoinGroupRequest::JoinGroupRequestProtocol".
std::string qualified(const Message& message, const Struct& structure);
// Scope of the message's nested structs: "JoinGroupRequest::".
std::string scope_of(const Message& message);
// "[[maybe_unused]] " for a struct of which nothing stands on the wire, else "".
std::string unused_mark(const Message& message, const Struct& structure);
// Condition (as version_condition) under which a field has the compact form.
std::string compact_condition(const Message& message, const Struct& structure, const Field& field);

}  // namespace cohort::codegen
