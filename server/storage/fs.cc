#include "server/storage/fs.h"

#include <fmt/format.h>

#include <cerrno>

namespace cohort::storage {

Result<std::string> read_whole_file(Fs& fs, const std::string& path, std::size_t limit) {
  auto file = fs.open(path, OpenMode::kRead);
  if (!file) return std::unexpected(std::move(file.error()));
  const auto size = (*file)->size();
  if (!size) return std::unexpected(size.error());
  if (*size > limit) {
    return fail(ErrorKind::kTooLarge, fmt::format("{} has {} bytes, expected at most {}", path, *size, limit));
  }
  std::string text(*size, '\0');
  const auto read = (*file)->read_at(0, std::as_writable_bytes(std::span(text)));
  if (!read) return std::unexpected(read.error());
  text.resize(*read);
  return text;
}

bool is_disk_full(const Error& error) {
  return error.kind == ErrorKind::kIo && (error.os_error == ENOSPC || error.os_error == EDQUOT);
}

namespace {

// Overwrites what the file holds, so that its blocks are used.
Result<void> write_file(Fs& fs, const std::string& path, OpenMode mode, std::string_view text) {
  auto file = fs.open(path, mode);
  if (!file) return std::unexpected(std::move(file.error()));
  if (auto written = (*file)->write_at(0, std::as_bytes(std::span(text))); !written) return written;
  if (mode != OpenMode::kCreate) {
    if (auto cut = (*file)->truncate(text.size()); !cut) return cut;
  }
  return (*file)->sync();
}

}  // namespace

Result<void> replace_file(Fs& fs, const std::string& dir, std::string_view name, std::string_view text,
                          const std::vector<std::string>& expendable) {
  const std::string path = fmt::format("{}/{}", dir, name);
  const std::string temporary = path + std::string(kTemporarySuffix);
  auto written = write_file(fs, temporary, OpenMode::kCreate, text);
  for (const std::string& other : expendable) {
    if (written || !is_disk_full(written.error())) break;
    if (!fs.rename(other, temporary)) continue;
    written = write_file(fs, temporary, OpenMode::kReadWrite, text);
  }
  if (!written) return written;
  if (auto renamed = fs.rename(temporary, path); !renamed) return renamed;
  return fs.sync_dir(dir);
}

}  // namespace cohort::storage
