// SPDX-License-Identifier: BSL-1.0
#include "vectordb/client/documents.hpp"

#include "vectordb/engine/errors.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <optional>
#include <stdexcept>

namespace vectordb {

namespace {

/// "007" is no number, but a name: it would be the same point as "7".
std::optional<PointId> plain_id(std::string_view name) {
  try {
    PointId id = PointId::from_text(name);
    if (!id.is_uuid() && id.to_string() != name) return std::nullopt;
    return id;
  } catch (const InvalidArgument&) {
    return std::nullopt;
  }
}

PointId::Uuid uuid5(std::string_view name) {
  // RFC 9562, 6.6: the namespace of URLs.
  std::string text("\x6b\xa7\xb8\x11\x9d\xad\x11\xd1\x80\xb4\x00\xc0\x4f\xd4\x30\xc8", 16);
  text.append(name);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  if (EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha1(), nullptr) != 1)
    throw std::runtime_error("EVP_Digest: no SHA-1");
  PointId::Uuid uuid{};
  std::copy_n(digest.begin(), uuid.size(), uuid.begin());
  uuid[6] = static_cast<std::uint8_t>((uuid[6] & 0x0f) | 0x50);  // the version
  uuid[8] = static_cast<std::uint8_t>((uuid[8] & 0x3f) | 0x80);  // the variant
  return uuid;
}

}  // namespace

PointId document_id(std::string_view name) {
  std::optional<PointId> plain = plain_id(name);
  return plain ? *plain : PointId(uuid5(name));
}

Point document(std::string_view name, Vector vector, nlohmann::json payload) {
  if (name.empty()) throw InvalidArgument("id", "is empty");
  if (payload.is_null()) payload = nlohmann::json::object();
  if (!payload.is_object())
    throw InvalidArgument("payload",
                          std::string("an object is expected, not ") + payload.type_name());
  std::optional<PointId> plain = plain_id(name);
  if (plain) return Point(*plain, std::move(vector), std::move(payload));
  const std::string key(kNameKey);
  if (payload.contains(key) && payload[key] != nlohmann::json(name))
    throw InvalidArgument("payload." + key,
                          "the name of the document stands there, not " + brief(payload[key]));
  payload[key] = name;
  return Point(PointId(uuid5(name)), std::move(vector), std::move(payload));
}

std::string document_name(const PointId& id, const nlohmann::json& payload) {
  auto name = payload.is_object() ? payload.find(kNameKey) : payload.end();
  if (name == payload.end() || !name->is_string()) return id.to_string();
  std::string text = name->get<std::string>();
  return document_id(text) == id ? text : id.to_string();
}

}  // namespace vectordb
