// Makes a JavaScript object of the credentials that the kernel reports.
#include "napi/credentials_value.h"

#include "transport/credentials.h"

namespace busbar {

Napi::Value credentials_value(Napi::Env env, int fd) {
  const std::optional<transport::Credentials> credentials = transport::peer_credentials(fd);
  if (!credentials) return env.Undefined();
  Napi::Array gids = Napi::Array::New(env, credentials->gids.size());
  for (uint32_t i = 0; i < credentials->gids.size(); i++) {
    gids.Set(i, Napi::Number::New(env, credentials->gids[i]));
  }
  Napi::Object value = Napi::Object::New(env);
  value.Set("uid", Napi::Number::New(env, credentials->uid));
  value.Set("pid", Napi::Number::New(env, credentials->pid));
  value.Set("gids", gids);
  value.Set("securityLabel", Napi::String::New(env, credentials->security_label));
  return value;
}

}  // namespace busbar
