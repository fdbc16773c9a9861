"""What Picture knows of ComfyUI's node classes: a graph is code, so only these run."""

import re

ALLOWED = frozenset(
    {
        "BasicGuider",
        "BasicScheduler",
        "CFGGuider",
        "CLIPLoader",
        "CLIPSetLastLayer",
        "CLIPTextEncode",
        "CheckpointLoaderSimple",
        "ConditioningZeroOut",
        "DualCLIPLoader",
        "EmptyLatentImage",
        "EmptySD3LatentImage",
        "FluxGuidance",
        "ImageScale",
        "ImageScaleToTotalPixels",
        "ImageToMask",
        "ImageUpscaleWithModel",
        "InpaintModelConditioning",
        "KSampler",
        "KSamplerSelect",
        "LatentUpscaleBy",
        "LoadImage",
        "LoraLoader",
        "LoraLoaderModelOnly",
        "MaskToImage",
        "ModelSamplingAuraFlow",
        "ModelSamplingFlux",
        "ModelSamplingSD3",
        "PreviewImage",
        "PrimitiveFloat",
        "PrimitiveInt",
        "PrimitiveStringMultiline",
        "RandomNoise",
        "RepeatLatentBatch",
        "SamplerCustom",
        "SamplerCustomAdvanced",
        "SaveImage",
        "SetLatentNoiseMask",
        "SplitSigmasDenoise",
        "TripleCLIPLoader",
        "UNETLoader",
        "UpscaleModelLoader",
        "VAEDecode",
        "VAEDecodeTiled",
        "VAEEncode",
        "VAEEncodeForInpaint",
        "VAELoader",
    }
)
"""Classes that read no network, write only images, and load only weights."""

_FOLDERS = {
    "ckpt_name": "checkpoints",
    "unet_name": "diffusion_models",
    "clip_name": "text_encoders",
    "vae_name": "vae",
    "lora_name": "loras",
    "model_name": "upscale_models",
    "control_net_name": "controlnet",
    "style_model_name": "style_models",
    "gligen_name": "gligen",
}


def folder_of(input_name: str) -> str | None:
    """The folder key of the models that an input names a file of; None for an input that names none."""
    return _FOLDERS.get(re.sub(r"\d+$", "", input_name))
