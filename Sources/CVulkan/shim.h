// The Vulkan headers, plus the constants that are macros Swift cannot import.
#pragma once
#include <vulkan/vulkan.h>

static const uint32_t FOVEA_VK_API_VERSION_1_3 = VK_API_VERSION_1_3;
static inline uint32_t fovea_vk_version_major(uint32_t v) { return VK_API_VERSION_MAJOR(v); }
static inline uint32_t fovea_vk_version_minor(uint32_t v) { return VK_API_VERSION_MINOR(v); }
static inline uint32_t fovea_vk_version_patch(uint32_t v) { return VK_API_VERSION_PATCH(v); }

// VK_KHR_cooperative_matrix, which headers before 1.3.255 do not have.
#define FOVEA_VK_COOPERATIVE_MATRIX_EXTENSION_NAME "VK_KHR_cooperative_matrix"
static const VkStructureType FOVEA_VK_STRUCTURE_TYPE_COOPERATIVE_MATRIX_FEATURES = (VkStructureType)1000506000;
static const VkStructureType FOVEA_VK_STRUCTURE_TYPE_COOPERATIVE_MATRIX_PROPERTIES = (VkStructureType)1000506001;
static const uint32_t FOVEA_VK_COMPONENT_FLOAT16 = 0;
static const uint32_t FOVEA_VK_COMPONENT_FLOAT32 = 1;
static const uint32_t FOVEA_VK_SCOPE_SUBGROUP = 3;

typedef struct fovea_vk_cooperative_matrix_features {
    VkStructureType sType;
    void *pNext;
    VkBool32 cooperativeMatrix;
    VkBool32 cooperativeMatrixRobustBufferAccess;
} fovea_vk_cooperative_matrix_features;

typedef struct fovea_vk_cooperative_matrix_properties {
    VkStructureType sType;
    void *pNext;
    uint32_t MSize, NSize, KSize;
    uint32_t AType, BType, CType, ResultType;
    VkBool32 saturatingAccumulation;
    uint32_t scope;
} fovea_vk_cooperative_matrix_properties;

// vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR, or VK_ERROR_EXTENSION_NOT_PRESENT.
static inline VkResult fovea_vk_cooperative_matrices(
    VkInstance instance, VkPhysicalDevice device, uint32_t *count, fovea_vk_cooperative_matrix_properties *properties) {
    typedef VkResult(VKAPI_PTR * Get)(VkPhysicalDevice, uint32_t *, fovea_vk_cooperative_matrix_properties *);
    Get get = (Get)vkGetInstanceProcAddr(instance, "vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR");
    return get ? get(device, count, properties) : VK_ERROR_EXTENSION_NOT_PRESENT;
}
