// SPDX-License-Identifier: BSL-1.0
/// All of asyncio::http.
#pragma once

#include "asyncio/http/errors.hpp"
#include "asyncio/http/head.hpp"
#include "asyncio/http/headers.hpp"
#include "asyncio/http/limits.hpp"
#include "asyncio/http/method.hpp"
#include "asyncio/http/status.hpp"
