// SPDX-License-Identifier: BSL-1.0
#include "asyncio/http/headers.hpp"

#include "asyncio/exceptions.hpp"
#include "http/characters.hpp"

#include <algorithm>
#include <functional>
#include <limits>

namespace asyncio::http {

using detail::byte_at;
using detail::equal_without_case;
using detail::quoted;

namespace {

constexpr std::size_t kUsualFields = 16;

void check_name(std::string_view name) {
  if (name.empty()) throw ValueError("header name: is empty");
  if (std::size_t at = first_other(detail::kToken, name); at != std::string_view::npos)
    throw ValueError("header name " + quoted(name) + ": is no token: " + byte_at(name, at));
  if (name.size() > std::numeric_limits<std::uint16_t>::max())
    throw ValueError("header name " + quoted(name) + ": is longer than 65535 bytes");
}

void check_value(std::string_view name, std::string_view value) {
  if (std::size_t at = first_other(detail::kField, value); at != std::string_view::npos)
    throw ValueError("header " + quoted(name) +
                     ": the value has a control character: " + byte_at(value, at));
}

/// Whether a view is of that string, and dangles once the string is changed.
bool is_part_of(const std::string& bytes, std::string_view view) {
  const std::less_equal<const char*> not_after;
  return not_after(bytes.data(), view.data()) &&
         not_after(view.data(), bytes.data() + bytes.size());
}

}  // namespace

Headers::Headers(std::initializer_list<HeaderField> fields) {
  for (const HeaderField& field : fields) add(field.name, field.value);
}

bool Headers::named(const Entry& entry, std::string_view name, std::uint16_t ends) const noexcept {
  return entry.ends == ends && entry.name_size == name.size() &&
         equal_without_case(std::string_view(bytes_).substr(entry.name_at, entry.name_size), name);
}

const Headers::Entry* Headers::find(std::string_view name) const noexcept {
  const std::uint16_t ends = ends_of(name);
  for (const Entry& entry : index_)
    if (named(entry, name, ends)) return &entry;
  return nullptr;
}

void Headers::add(std::string_view name, std::string_view value) {
  check_name(name);
  value = detail::trimmed(value);
  check_value(name, value);
  if (is_part_of(bytes_, name) || is_part_of(bytes_, value))
    return add(std::string(name), std::string(value));
  if (index_.capacity() == 0) index_.reserve(kUsualFields);
  drop_unused_bytes(name.size() + value.size());
  const auto name_at = static_cast<std::uint32_t>(bytes_.size());
  index_.push_back({name_at, name_at + static_cast<std::uint32_t>(name.size()),
                    static_cast<std::uint32_t>(value.size()),
                    static_cast<std::uint16_t>(name.size()), ends_of(name)});
  try {
    bytes_.append(name).append(value);
  } catch (...) {
    index_.pop_back();
    bytes_.resize(name_at);
    throw;
  }
}

void Headers::set(std::string_view name, std::string_view value) {
  if (is_part_of(bytes_, name) || is_part_of(bytes_, value))
    return set(std::string(name), std::string(value));
  const Entry* first = find(name);
  if (!first) return add(name, value);
  // The new field takes the place of the first, which keeps the name as it was written there.
  const auto place = first - index_.data();
  const std::string written((*this)[static_cast<std::size_t>(place)].name);
  add(written, value);
  std::swap(index_[static_cast<std::size_t>(place)], index_.back());
  const std::uint16_t ends = ends_of(name);
  index_.erase(std::remove_if(index_.begin() + place + 1, index_.end(),
                              [&](const Entry& entry) { return named(entry, name, ends); }),
               index_.end());
}

std::size_t Headers::remove(std::string_view name) {
  const std::uint16_t ends = ends_of(name);
  return std::erase_if(index_, [&](const Entry& entry) { return named(entry, name, ends); });
}

void Headers::clear() noexcept {
  bytes_.clear();
  index_.clear();
}

std::optional<std::string_view> Headers::get(std::string_view name) const noexcept {
  const Entry* entry = find(name);
  if (!entry) return std::nullopt;
  return std::string_view(bytes_).substr(entry->value_at, entry->value_size);
}

std::string_view Headers::get(std::string_view name, std::string_view otherwise) const noexcept {
  return get(name).value_or(otherwise);
}

std::vector<std::string_view> Headers::getall(std::string_view name) const {
  std::vector<std::string_view> values;
  const std::uint16_t ends = ends_of(name);
  for (const Entry& entry : index_)
    if (named(entry, name, ends))
      values.push_back(std::string_view(bytes_).substr(entry.value_at, entry.value_size));
  return values;
}

bool Headers::contains(std::string_view name) const noexcept { return find(name) != nullptr; }

/// Before the buffer would have to grow: if most of it belongs to fields that are gone, their bytes
/// go instead. So `set` in a loop takes no more memory than the fields that there are.
void Headers::drop_unused_bytes(std::size_t to_come) {
  constexpr std::size_t most = std::numeric_limits<std::uint32_t>::max();
  const bool fits = bytes_.size() <= most && to_come <= most - bytes_.size();
  if (fits && bytes_.size() + to_come <= bytes_.capacity()) return;
  std::size_t used = 0;
  for (const Entry& entry : index_) used += std::size_t{entry.name_size} + entry.value_size;
  if (to_come > most - used) throw ValueError("headers: hold more than 4 GiB");
  if (fits && bytes_.size() - used <= used) return;
  std::string kept;
  kept.reserve(used + to_come);
  for (Entry& entry : index_) {
    const HeaderField field = (*this)[static_cast<std::size_t>(&entry - index_.data())];
    const auto name_at = static_cast<std::uint32_t>(kept.size());
    kept.append(field.name).append(field.value);
    entry.name_at = name_at;
    entry.value_at = name_at + entry.name_size;
  }
  bytes_ = std::move(kept);
}

}  // namespace asyncio::http
