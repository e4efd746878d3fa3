// SPDX-License-Identifier: BSL-1.0
/// The commands that ask a server. `options` lives as long as they run.
///
/// Each returns an exit status and throws what its errors are; command.cpp prints those.
#pragma once

#include "vectordb/cli/options.hpp"
#include "vectordb/client/client.hpp"

#include <string>

namespace vectordb::cli {

using Status = asyncio::Coro<int>;

Status create(AsyncVectorDB& db, const Options& options);
Status info(AsyncVectorDB& db, const Options& options);
Status insert(AsyncVectorDB& db, const Options& options);
Status export_points(AsyncVectorDB& db, const Options& options);
Status search(AsyncVectorDB& db, const Options& options);
Status get(AsyncVectorDB& db, const Options& options);
Status remove(AsyncVectorDB& db, const Options& options);
Status bench(AsyncVectorDB& db, const Options& options);

/// What teaches "bash", "zsh" or "fish" the commands and their options.
std::string completion(const std::string& shell);

/// An option that is JSON. Throws: InvalidArgument with `field`.
nlohmann::json parse_option(const std::string& text, const std::string& field);
Filter filter_option(const Options& options);

}  // namespace vectordb::cli
