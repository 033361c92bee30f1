"""The widget that a web page embeds."""

from typing import Annotated, Literal

from pydantic import Field

from ..common import Known, Maybe, OneOf, Unknown, Variant, Wire


class OrbAvatar(Variant):
    """A glowing ball in two colours."""

    type: Literal["orb"] = "orb"
    color_1: Maybe[str] = None
    color_2: Maybe[str] = None


class UrlAvatar(Variant):
    """A picture from an address."""

    type: Literal["url"] = "url"
    custom_url: Maybe[str] = None


class ImageAvatar(Variant):
    """An uploaded picture."""

    type: Literal["image"] = "image"
    url: Maybe[str] = None


Avatar = Annotated[OrbAvatar | UrlAvatar | ImageAvatar | Unknown, OneOf("type")]


class WidgetTexts(Wire):
    """Labels of the widget; null means the platform's own."""

    main_label: str | None = None
    start_call: str | None = None
    start_chat: str | None = None
    new_call: str | None = None
    end_call: str | None = None
    mute_microphone: str | None = None
    change_language: str | None = None
    collapse: str | None = None
    expand: str | None = None
    copied: str | None = None
    accept_terms: str | None = None
    dismiss_terms: str | None = None
    listening_status: str | None = None
    speaking_status: str | None = None
    connecting_status: str | None = None
    chatting_status: str | None = None
    input_label: str | None = None
    input_placeholder: str | None = None
    input_placeholder_text_only: str | None = None
    input_placeholder_new_conversation: str | None = None
    user_ended_conversation: str | None = None
    agent_ended_conversation: str | None = None
    conversation_id: str | None = None
    error_occurred: str | None = None
    copy_id: str | None = None


class WidgetStyles(Wire):
    """Colours of the widget, and lengths in pixels."""

    base: str | None = None
    base_hover: str | None = None
    base_active: str | None = None
    base_border: str | None = None
    base_subtle: str | None = None
    base_primary: str | None = None
    base_error: str | None = None
    accent: str | None = None
    accent_hover: str | None = None
    accent_active: str | None = None
    accent_border: str | None = None
    accent_subtle: str | None = None
    accent_primary: str | None = None
    overlay_padding: float | None = None
    button_radius: float | None = None
    input_radius: float | None = None
    bubble_radius: float | None = None
    sheet_radius: float | None = None
    compact_sheet_radius: float | None = None
    dropdown_sheet_radius: float | None = None


class WidgetLanguagePreset(Wire):
    """Labels in one language."""

    text_contents: WidgetTexts | None = None


class WidgetLook(Wire):
    """How the widget looks and what it offers. Radii in pixels."""

    variant: Maybe[Annotated[str, Known("tiny", "compact", "full", "expandable")]] = None
    placement: Maybe[Annotated[str, Known("top-left", "top", "top-right", "bottom-left", "bottom", "bottom-right")]] = (
        None
    )
    expandable: Maybe[Annotated[str, Known("never", "mobile", "desktop", "always")]] = None
    avatar: Maybe[Avatar] = None
    feedback_mode: Maybe[Annotated[str, Known("none", "during", "end")]] = None
    bg_color: Maybe[str] = None
    text_color: Maybe[str] = None
    btn_color: Maybe[str] = None
    btn_text_color: Maybe[str] = None
    border_color: Maybe[str] = None
    focus_color: Maybe[str] = None
    border_radius: int | None = None
    btn_radius: int | None = None
    action_text: str | None = None
    start_call_text: str | None = None
    end_call_text: str | None = None
    expand_text: str | None = None
    listening_text: str | None = None
    speaking_text: str | None = None
    shareable_page_text: str | None = None
    shareable_page_show_terms: Maybe[bool] = None
    terms_text: str | None = None
    terms_html: str | None = None
    terms_key: str | None = None
    show_avatar_when_collapsed: bool | None = None
    disable_banner: Maybe[bool] = None
    override_link: str | None = None
    mic_muting_enabled: Maybe[bool] = None
    transcript_enabled: Maybe[bool] = None
    text_input_enabled: Maybe[bool] = None
    default_expanded: Maybe[bool] = None
    always_expanded: Maybe[bool] = None
    text_contents: WidgetTexts = Field(default_factory=WidgetTexts)
    styles: WidgetStyles = Field(default_factory=WidgetStyles)
    supports_text_only: Maybe[bool] = None


class Widget(WidgetLook):
    """The widget that a web page embeds, as its agent keeps it."""

    language_selector: Maybe[bool] = None
    custom_avatar_path: str | None = None
    language_presets: dict[str, WidgetLanguagePreset] = {}
