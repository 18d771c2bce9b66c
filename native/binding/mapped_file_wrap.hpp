// The JavaScript object of one mapped file.
#pragma once

#include <optional>

#include "binding/mapped_file.hpp"
#include "binding/napi.hpp"
#include "trace/decoder.hpp"

namespace mmu::binding {

class MappedFileWrap : public Napi::ObjectWrap<MappedFileWrap> {
 public:
  static constexpr const char* kClassName = "MappedFile";
  static constexpr napi_type_tag kTag{0x91b7f03da65c4e18, 0xc4207d5e9f3b861a};

  static Napi::Function define(Napi::Env env);

  explicit MappedFileWrap(const Napi::CallbackInfo& info);

 private:
  // Throws ERR_IO after close().
  MappedFile& file();
  trace::DecodeStep decode_from(std::size_t offset, trace::Decoder& decoder,
                                trace::EventSink& sink);

  Napi::Value bytes(const Napi::CallbackInfo& info);
  Napi::Value head(const Napi::CallbackInfo& info);
  Napi::Value decode(const Napi::CallbackInfo& info);
  Napi::Value close(const Napi::CallbackInfo& info);

  std::optional<MappedFile> file_;
  std::size_t bytes_ = 0;
};

}  // namespace mmu::binding
