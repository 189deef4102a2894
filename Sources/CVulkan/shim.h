// The Vulkan headers, plus the constants that are macros Swift cannot import.
#pragma once
#include <vulkan/vulkan.h>

static const uint32_t FOVEA_VK_API_VERSION_1_3 = VK_API_VERSION_1_3;
static inline uint32_t fovea_vk_version_major(uint32_t v) { return VK_API_VERSION_MAJOR(v); }
static inline uint32_t fovea_vk_version_minor(uint32_t v) { return VK_API_VERSION_MINOR(v); }
static inline uint32_t fovea_vk_version_patch(uint32_t v) { return VK_API_VERSION_PATCH(v); }
