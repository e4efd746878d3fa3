// SPDX-License-Identifier: BSL-1.0
#include "vectordb/engine/store.hpp"

#include "vectordb/engine/errors.hpp"
#include "vectordb/engine/validation.hpp"
#include <asyncio/logging.hpp>

#include <algorithm>
#include <fcntl.h>
#include <filesystem>
#include <optional>
#include <unistd.h>
#include <utility>

namespace vectordb {

using nlohmann::json;

namespace {

constexpr int kFormat = 1;
constexpr const char* kDraft = ".new";

[[noreturn]] void corrupt(const File& file, std::uint64_t offset, const std::string& problem) {
  throw CorruptionError(file.path() + ": at byte " + std::to_string(offset) + ": " + problem);
}

/// A file that is under another name until it is whole.
class NewFile {
 public:
  explicit NewFile(std::string path)
      : path_(std::move(path)), draft_(path_ + kDraft), file_(draft_, O_RDWR | O_CREAT | O_TRUNC) {}
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  /// What is not finished is gone: on a full disk it would take the room of what is to come.
  ~NewFile() {
    if (!finished_) ::unlink(draft_.c_str());
  }

  void append(std::uint64_t sequence, std::string_view body) {
    const std::string frame = encode_frame(sequence, body);
    file_.write_at(size_, frame);
    size_ += frame.size();
  }
  std::uint64_t size() const noexcept { return size_; }
  File finish() && {
    file_.sync();
    file_.rename(path_);
    finished_ = true;
    return std::move(file_);
  }

 private:
  std::string path_, draft_;
  File file_;
  std::uint64_t size_ = 0;
  bool finished_ = false;
};

std::string log_header(const CollectionConfig& config) {
  return json{{"format", kFormat}, {"kind", "log"}, {"config", config.to_json()}}.dump();
}

std::string snapshot_header(std::size_t points) {
  return json{{"format", kFormat}, {"kind", "snapshot"}, {"points", points}}.dump();
}

/// The first frame, whose body is an object of that kind.
std::pair<json, std::uint64_t> read_header(const File& file, FrameReader& reader,
                                           const char* kind) {
  std::optional<Frame> frame = reader.next();
  if (!frame) corrupt(file, 0, "the header is damaged");
  json header = json::parse(frame->body, nullptr, false);
  if (!header.is_object() || header.value("kind", json()) != kind)
    corrupt(file, 0, std::string("this is no ") + kind);
  if (header.value("format", json()) != kFormat)
    corrupt(file, 0,
            "format " + header.value("format", json()).dump() + " is not known, " +
                std::to_string(kFormat) + " is");
  return {std::move(header), frame->sequence};
}

/// Applies the operations of a frame. Returns: how many points there were in it.
std::size_t replay(const File& file, const Frame& frame, PointTable& table) {
  std::size_t points = 0;
  try {
    for (std::string_view rest = frame.body; !rest.empty();) {
      Operation operation = decode(rest);
      points += operation.points.size();
      for (const Point& point : operation.points)
        check_vector(point.vector, table.config().size, "vector");
      table.apply(operation);
    }
  } catch (const Error& error) {
    corrupt(file, frame.offset, error.what());
  }
  return points;
}

}  // namespace

void Store::create(const std::string& folder, const CollectionConfig& config) {
  NewFile log(folder + "/log");
  log.append(0, log_header(config));
  std::move(log).finish();
  sync_folder(folder);
}

Store::Store(std::string folder) : folder_(std::move(folder)), log_(path("log"), O_RDWR) {
  for (const char* name : {"log", "snapshot"})  // of a crash in the middle of it
    ::unlink((path(name) + kDraft).c_str());
  FrameReader reader(log_);
  auto [header, base] = read_header(log_, reader, "log");
  try {
    config_ = CollectionConfig::from_json(header.at("config"));
  } catch (const std::exception& error) {
    corrupt(log_, 0, error.what());
  }
}

void Store::restore(PointTable& table, const ReadProgress& progress) {
  if (std::filesystem::exists(path("snapshot"))) read_snapshot(table, progress);
  read_log(table, progress);
}

void Store::read_snapshot(PointTable& table, const ReadProgress& progress) {
  File file(path("snapshot"), O_RDONLY);
  FrameReader reader(file);
  auto [header, sequence] = read_header(file, reader, "snapshot");
  std::size_t points = 0;
  while (auto frame = reader.next()) {
    points += replay(file, *frame, table);
    progress(reader.offset(), reader.size());
  }
  if (!reader.at_end()) corrupt(file, reader.offset(), "a damaged record");
  if (header.value("points", json()) != points)
    corrupt(file, reader.offset(),
            "it has " + std::to_string(points) + " points instead of " +
                header.value("points", json()).dump());
  sequence_ = sequence;
  snapshot_bytes_ = reader.size();
}

void Store::read_log(PointTable& table, const ReadProgress& progress) {
  FrameReader reader(log_);
  auto [header, base] = read_header(log_, reader, "log");
  if (base > sequence_)
    corrupt(log_, 0,
            "it begins after commit " + std::to_string(base) + ", the snapshot ends at " +
                std::to_string(sequence_));
  std::uint64_t last = base;
  while (auto frame = reader.next()) {
    if (frame->sequence != ++last)
      corrupt(log_, frame->offset,
              "commit " + std::to_string(frame->sequence) + " follows " + std::to_string(last - 1));
    if (last > sequence_) replay(log_, *frame, table);
    progress(reader.offset(), reader.size());
  }
  if (!reader.at_end()) {
    if (reader.any_behind()) corrupt(log_, reader.offset(), "a damaged record before whole ones");
    cut_log(reader.offset(), reader.size() - reader.offset());
  }
  log_bytes_ = reader.offset();
  if (last < sequence_)
    begin_log();  // what a damaged log lacks is in the snapshot; its numbers would have a gap
  else
    sequence_ = last;
}

void Store::cut_log(std::uint64_t size, std::uint64_t torn) {
  asyncio::log(asyncio::LogLevel::warning, "vectordb",
               log_.path() + ": the last " + std::to_string(torn) + " bytes, from byte " +
                   std::to_string(size) + ", are of a commit that did not end; cut off");
  log_.truncate(size);
  log_.sync();
}

void Store::append(std::string_view body) {
  if (broken_ != 0) throw StorageError("write (after an earlier failure)", log_.path(), broken_);
  const std::string frame = encode_frame(sequence_ + 1, body);
  try {
    log_.write_at(log_bytes_, frame);
  } catch (const StorageError&) {
    undo_append();
    throw;
  }
  try {
    log_.sync_data();
  } catch (const StorageError& error) {
    // Nobody knows what of the file the disk has, and another fdatasync would not tell.
    undo_append();
    broken_ = error.error_number();
    throw;
  }
  log_bytes_ += frame.size();
  ++sequence_;
}

/// Of a full disk there may be a part of the frame.
void Store::undo_append() {
  try {
    log_.truncate(log_bytes_);
  } catch (const StorageError& error) {
    asyncio::log(asyncio::LogLevel::error, "vectordb", error.what());
    broken_ = error.error_number();
  }
}

void Store::compact(const PointTable& table) {
  if (broken_ != 0) throw StorageError("write (after an earlier failure)", log_.path(), broken_);
  write_snapshot(table);
  begin_log();
}

void Store::write_snapshot(const PointTable& table) {
  constexpr std::size_t kFrame = 1 << 20;  // bytes; payloads may be large
  NewFile file(path("snapshot"));
  file.append(sequence_, snapshot_header(table.ids().size()));
  std::string body;
  auto flush = [&] {
    file.append(sequence_, body);
    body.clear();
  };
  for (const auto& [id, slot] : table.ids()) {
    const std::span<const float> vector = table.index().vector(slot);
    Operation upsert;
    upsert.points.emplace_back(id, Vector(vector.begin(), vector.end()),
                               table.entries()[slot].payload);
    encode(upsert, body);
    if (body.size() >= kFrame) flush();
  }
  if (!body.empty()) flush();
  const std::uint64_t size = file.size();
  std::move(file).finish();
  sync_folder(folder_);
  snapshot_bytes_ = size;
}

void Store::begin_log() {
  NewFile file(path("log"));
  file.append(sequence_, log_header(config_));
  const std::uint64_t size = file.size();
  log_ = std::move(file).finish();
  log_bytes_ = size;
  try {
    sync_folder(folder_);
  } catch (const StorageError& error) {
    broken_ =
        error.error_number();  // the old log may come back, without what is written from now on
    throw;
  }
}

}  // namespace vectordb
