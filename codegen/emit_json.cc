#include "codegen/cpp.h"
#include "codegen/emit.h"
#include "codegen/naming.h"

namespace cohort::codegen {
namespace {

void json_value(Code& code, const Field& field, const std::string& member) {
  if (field.type.kind != Kind::kStruct) return code.line("json.value({});", member);
  std::string value = member;
  if (field.is_nullable()) {
    code.open("if ({}.has_value()) {{", member);
    value = "(*" + member + ")";
  }
  if (field.type.is_array) {
    code.text("json.begin_array();");
    code.line("for (const auto& element : {}) json_struct(json, element, version);", value);
    code.text("json.end_array();");
  } else {
    code.line("json_struct(json, {}, version);", value);
  }
  if (field.is_nullable()) {
    code.otherwise();
    code.text("json.null();");
    code.close();
  }
}

}  // namespace

void emit_json(Code& code, const Message& message, const Struct& structure) {
  code.open("static void json_struct(JsonWriter& json, {}const {}& message, [[maybe_unused]] std::int16_t version) {{",
            unused_mark(message, structure), qualified(message, structure));
  code.text("json.begin_object();");
  for (const Field& field : structure.fields) {
    const std::string member = "message." + member_name(field.name);
    std::string condition = version_condition(field.versions, structure.versions);
    if (field.tag) {
      const std::string set = fmt::format("!({})", is_default(field, member, scope_of(message)));
      condition = condition == "true" ? set : fmt::format("({}) && {}", condition, set);
    }
    const bool always = condition == "true";
    if (!always) code.open("if ({}) {{", condition);
    code.line("json.key(\"{}\");", json_name(field.name));
    json_value(code, field, member);
    if (!always) code.close();
  }
  code.text("json.end_object();");
  code.close();
  code.blank();
}

}  // namespace cohort::codegen
