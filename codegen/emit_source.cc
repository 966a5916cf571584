#include <filesystem>

#include "codegen/cpp.h"
#include "codegen/emit.h"

namespace cohort::codegen {

std::string scope_of(const Message& message) {
  return message.name() + "::";
}

std::string qualified(const Message& message, const Struct& structure) {
  return &structure == &message.body ? message.name() : scope_of(message) + structure.name;
}

std::string unused_mark(const Message& message, const Struct& structure) {
  return structure.fields.empty() && message.flexible.empty() ? "[[maybe_unused]] " : "";
}

std::string compact_condition(const Message& message, const Struct& structure, const Field& field) {
  if (field.tag) return "true";
  if (field.flexible) return version_condition(*field.flexible, structure.versions);
  const std::string condition = version_condition(message.flexible, structure.versions.intersect(field.versions));
  return condition == "true" || condition == "false" ? condition : "flexible";
}

std::string emit_source(const Message& message) {
  Code code;
  code.line(fmt::runtime(kDoNotEdit), std::filesystem::path(message.file).filename().string());
  code.line("#include \"{}.h\"", include_stem(message));
  code.blank();
  code.text("#include \"protocol/wire/byte_reader.h\"");
  code.text("#include \"protocol/wire/byte_writer.h\"");
  code.text("#include \"protocol/wire/json_writer.h\"");
  code.text("#include \"protocol/wire/message_codec.h\"");
  code.blank();
  code.text("namespace cohort::protocol {");
  code.blank();
  for (const Struct& structure : message.structs) {
    emit_read(code, message, structure);
    emit_write(code, message, structure);
    emit_json(code, message, structure);
  }
  emit_read(code, message, message.body);
  emit_write(code, message, message.body);
  emit_json(code, message, message.body);

  const std::string& name = message.name();
  code.open("void read(ByteReader& reader, {}& message, std::int16_t version) {{", name);
  code.line("if (!has_version<{}>(version)) return reader.fail(\"{} has no such version\", ErrorKind::kUnsupported);",
            name, name);
  code.text("read_struct(reader, message, version);");
  code.close();
  code.blank();
  code.open("void write(ByteWriter& writer, const {}& message, std::int16_t version) {{", name);
  code.line("if (!has_version<{}>(version)) return writer.fail(\"{} has no such version\");", name, name);
  code.text("write_struct(writer, message, version);");
  code.close();
  code.blank();
  code.open("void append_json(std::string& out, const {}& message, std::int16_t version) {{", name);
  code.text("JsonWriter json(out);");
  code.text("json_struct(json, message, version);");
  code.close();
  code.blank();
  code.text("}  // namespace cohort::protocol");
  return code.str();
}

}  // namespace cohort::codegen
