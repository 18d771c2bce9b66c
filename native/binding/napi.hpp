// The only include of <napi.h>, so that nobody includes it without its
// switches.
//
// C++ exceptions are on: a failed Node-API call throws Napi::Error, and the
// callback wrappers of node-addon-api turn it into a JavaScript exception.
// Throwing while an environment ends is impossible and must not be fatal: a
// worker that is terminated inside one of our calls would abort the process.
#pragma once

#ifndef NAPI_VERSION
#define NAPI_VERSION 8
#endif
#ifndef NODE_ADDON_API_CPP_EXCEPTIONS
#define NODE_ADDON_API_CPP_EXCEPTIONS
#endif
#ifndef NODE_ADDON_API_DISABLE_DEPRECATED
#define NODE_ADDON_API_DISABLE_DEPRECATED
#endif
#define NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS

#include <napi.h>

static_assert(NAPI_VERSION >= 8, "type tags and async cleanup hooks");
