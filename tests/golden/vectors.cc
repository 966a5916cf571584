#include "tests/golden/vectors.h"

#include <zstd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

namespace cohort::golden {
namespace {

namespace fs = std::filesystem;

std::string slurp(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  INFO("reading " << path.string());
  REQUIRE(in.good());
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string decompress(const fs::path& path) {
  const std::string packed = slurp(path);
  const unsigned long long size = ZSTD_getFrameContentSize(packed.data(), packed.size());
  REQUIRE(size != ZSTD_CONTENTSIZE_ERROR);
  REQUIRE(size != ZSTD_CONTENTSIZE_UNKNOWN);
  std::string text(size, '\0');
  const std::size_t got = ZSTD_decompress(text.data(), text.size(), packed.data(), packed.size());
  INFO("decompressing " << path.string());
  REQUIRE(got == text.size());
  return text;
}

std::string all_lines(const std::string& kind) {
  const char* folder = std::getenv("COHORT_VECTORS");
  if (folder == nullptr) return decompress(fs::path(COHORT_GOLDEN_VECTORS) / (kind + ".jsonl.zst"));
  const fs::path one = fs::path(folder) / (kind + ".jsonl");
  if (fs::exists(one)) return slurp(one);
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(fs::path(folder) / kind)) {
    if (entry.path().extension() == ".jsonl") files.push_back(entry.path());
  }
  std::ranges::sort(files);
  std::string text;
  for (const fs::path& file : files) text += slurp(file);
  return text;
}

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

void for_each_vector(const std::string& kind, const std::function<void(const nlohmann::json&)>& visit) {
  const std::string text = all_lines(kind);
  std::string_view rest = text;
  std::size_t lines = 0;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const nlohmann::json line = nlohmann::json::parse(rest.substr(0, end), nullptr, /*allow_exceptions=*/false);
    INFO(kind << ", line " << ++lines);
    REQUIRE(line.is_object());
    visit(line);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  REQUIRE(lines > 0);
}

std::vector<std::byte> from_hex(std::string_view hex) {
  REQUIRE(hex.size() % 2 == 0);
  std::vector<std::byte> bytes(hex.size() / 2);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const int high = digit(hex[2 * i]);
    const int low = digit(hex[2 * i + 1]);
    if (high < 0 || low < 0) FAIL("not hexadecimal: " << hex);
    bytes[i] = static_cast<std::byte>(high * 16 + low);
  }
  return bytes;
}

std::string to_hex(std::span<const std::byte> bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  hex.reserve(bytes.size() * 2);
  for (const std::byte byte : bytes) {
    hex += kDigits[std::to_integer<unsigned>(byte) >> 4U];
    hex += kDigits[std::to_integer<unsigned>(byte) & 0xfU];
  }
  return hex;
}

}  // namespace cohort::golden
